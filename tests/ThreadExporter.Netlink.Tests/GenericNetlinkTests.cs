using ThreadExporter.Linux;

namespace ThreadExporter.Netlink.Tests;

public class GenericNetlinkTests
{
    private static byte[] Family(ushort id, uint sequence = 1) => Taskstats.Message([.. Taskstats.Attribute(2, Taskstats.Ascii("TASKSTATS\0")),
        .. Taskstats.Attribute(1, BitConverter.GetBytes(id))], type: 0x10, command: 1, sequence: sequence);

    private static byte[] Acknowledgement(int error, uint sequence = 1) =>
        Taskstats.Netlink([.. BitConverter.GetBytes(error), .. new byte[16]], type: 2, sequence: sequence);

    [Fact]
    public void An_answer_is_the_family_and_then_an_acknowledgement()
    {
        ushort family = 0;
        Assert.False(GenericNetlink.TryReadAnswer(Family(0x1F), 1, ref family, out _));
        Assert.Equal(0x1F, family);
        Assert.True(GenericNetlink.TryReadAnswer(Acknowledgement(0), 1, ref family, out int error));
        Assert.Equal(0, error);
        Assert.True(GenericNetlink.TryReadAnswer(Acknowledgement(-1), 1, ref family, out error));
        Assert.Equal(GenericNetlink.PermissionDenied, error);
    }

    [Fact]
    public void Answers_to_others_and_garbage_are_none()
    {
        ushort family = 0;
        foreach (byte[] other in (byte[][])[Family(3, sequence: 2), Acknowledgement(0, sequence: 2), [], [1, 2, 3], Taskstats.Netlink([0, 0], 2, 1),
            Taskstats.Netlink([0], 0x10, 1), Taskstats.Message(Taskstats.Attribute(1, 1, 2, 3), type: 0x10, sequence: 1)])
            Assert.False(GenericNetlink.TryReadAnswer(other, 1, ref family, out _));
        Assert.Equal(0, family);
    }

    [Fact]
    public void Anybody_can_ask_for_the_family_and_the_kernel_rejects_a_wrong_list_of_CPUs()
    {
        using NetlinkSocket? socket = NetlinkSocket.TryOpen(NetlinkSocket.Generic, 0, out int error);
        Assert.SkipUnless(socket is not null, $"no netlink socket: errno {error}");
        error = GenericNetlink.FindTaskstats(socket, out ushort family);
        Assert.SkipUnless(error == 0, $"no taskstats: errno {error}");
        Assert.True(family > 0x10);
        Assert.Contains(GenericNetlink.Register(socket, family, "not a list"), (int[])[GenericNetlink.PermissionDenied, GenericNetlink.InvalidArgument]);
        Assert.Contains(GenericNetlink.Register(socket, family, new string('1', 5000)), (int[])[GenericNetlink.PermissionDenied, GenericNetlink.InvalidArgument]);
    }

    [Fact]
    public void A_protocol_that_does_not_exist_is_an_error()
    {
        Assert.Null(NetlinkSocket.TryOpen(31, 0, out int error));
        Assert.Equal(93, error); // EPROTONOSUPPORT
    }
}
