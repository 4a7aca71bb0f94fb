using System.Text;
using ThreadExporter.Matching;

namespace ThreadExporter.Tests.Matching;

public sealed class TaskNameTests
{
    [Theory]
    [InlineData("kworker/0:1-events", "kworker/0:1")]
    [InlineData("kworker/u8:3+flush-253:0", "kworker/u8:3")]
    [InlineData("kworker/1:0H-kblockd", "kworker/1:0H")]
    [InlineData("kworker/0:2", "kworker/0:2")]
    [InlineData("kworker/dying", "kworker/dying")]
    // A rescuer is named after its queue, whose name may contain a '-'.
    [InlineData("kworker/R-ext4-rsv-conversion", "kworker/R-ext4-rsv-conversion")]
    [InlineData("kworker/R-writeback+flush", "kworker/R-writeback")]
    [InlineData("ksoftirqd/0", "ksoftirqd/0")]
    [InlineData("irq/24-nvme0q0", "irq/24-nvme0q0")]
    public void A_kworker_is_named_without_its_work_item(string comm, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(TaskName.Stable(Encoding.UTF8.GetBytes(comm), kernelThread: true)));

    [Fact]
    public void The_name_of_a_user_process_is_not_changed() =>
        Assert.Equal("kworker/0:1-x"u8.ToArray(), TaskName.Stable("kworker/0:1-x"u8, kernelThread: false).ToArray());
}
