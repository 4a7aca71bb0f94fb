using System.Text.RegularExpressions;

namespace ThreadExporter.Tests.Layers;

/// <summary>Each part of a watched process's and thread's state is written by its owner alone.</summary>
public class OwnerTests
{
    private static readonly (string Part, string[] Writers)[] Owners =
    [
        ("Reading", ["Collection/ProcessReader.cs", "Collection/ProcessStatReader.cs", "Collection/ThreadReader.cs", "Collection/ExtendedReader.cs", "Cgroups/CgroupReader.cs"]),
        ("Sampling", ["Collection/Sampler.cs"]),
        ("Selection", ["Series/SeriesSelector.cs", "Series/SeriesAssigner.cs"]),
        ("Assignment", ["Series/SeriesAssigner.cs"]),
        ("Booking", ["Series/CpuLedger.cs"]),
        ("Balance", ["Series/CpuLedger.cs", "Series/GroupLedger.cs"]),
        ("Membership", ["Series/ProcessGroups.cs"]),
        ("ShownTids", ["Collection/ProcessReader.cs"]),
        ("RenderedLabels", ["Exposition/OwnerLabels.cs"]),
    ];

    [Fact]
    public void A_part_is_written_only_by_its_owner()
    {
        SourceGraph graph = new();
        foreach ((string part, string[] writers) in Owners)
        {
            // A change of a member, a call that changes it, a tuple assignment, or a reference through which it can be changed.
            Regex write = new(
                $@"\.{part}\.[\w.]+(\[[^]]*\])?\s*(=(?!=|>)|\+\+|\+=|\?\?=)|\.{part}\.(\w+\.)?(Add|Set|Clear|Remove\w*|Sort|Follow|Show)\(|\bref \w+(\.\w+)*\.{part}\b"
                + $@"|[(,]\s*\w+\.{part}\.\w+[^;=]*\) = |\b(Process|Thread|Series|Group){part}\?? \w+ = \w+\.{part};");
            string[] found = [.. graph.Files.Where(f => write.IsMatch(f.Code)).Select(f => f.Path.Replace("ThreadExporter/", "", StringComparison.Ordinal))];
            Assert.True(found.Length > 0, $"nothing writes {part}");
            Assert.True(found.All(writers.Contains), $"{part} is written by {string.Join(", ", found)}");
        }
    }
}
