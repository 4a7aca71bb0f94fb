using System.Text.RegularExpressions;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Layers;

/// <summary>Which folder uses which. The table in CONTRIBUTING.md is made from the same rows.</summary>
public partial class ArrowTests
{
    /// <summary>From the bottom up: a folder uses only what its row names, and that is above it here.</summary>
    private static readonly (string Folder, string Question, string Uses)[] Rows =
    [
        ("ThreadExporter.Linux", "system calls and the C library: the only P/Invoke", ""),
        ("ThreadExporter.Netlink", "what the kernel says of exited threads", "ThreadExporter.Linux"),
        ("ThreadExporter.Toml", "which TOML is accepted", ""),
        ("ThreadExporter.Procfs", "how a file of /proc or of a cgroup is read and parsed, one file per kernel file", "ThreadExporter.Linux"),
        ("ThreadExporter.Systemd", "how systemd and the journal are notified", "ThreadExporter.Linux"),
        ("Text", "globs, and how untrusted text is escaped", ""),
        ("Configuration", "keys, defaults, validation errors", "ThreadExporter.Linux ThreadExporter.Toml Text"),
        ("Matching", "which filter selects a process", "ThreadExporter.Linux ThreadExporter.Procfs Text Configuration"),
        ("Roles", "what a known thread is for", "ThreadExporter.Linux ThreadExporter.Toml Text Configuration Matching"),
        ("Settings", "the active configuration and the queue of reload requests", "ThreadExporter.Linux Configuration Matching Roles"),
        ("Cgroups", "what the cgroup's part is: CPU limits and throttling", "ThreadExporter.Linux ThreadExporter.Procfs"),
        ("Logging", "log formats, log file and rotation, journal", "ThreadExporter.Linux ThreadExporter.Systemd Text Configuration"),
        ("Model", "what is known of watched processes and threads, and who writes it", "ThreadExporter.Linux Configuration Matching Cgroups"),
        ("Series", "which series are shown, and how CPU time adds up", "ThreadExporter.Linux ThreadExporter.Procfs Configuration Matching Model"),
        ("Collection", "what is read when", "ThreadExporter.Linux ThreadExporter.Netlink ThreadExporter.Procfs Configuration Matching Settings Cgroups Model Series"),
        ("HotThreads", "what the hot page shows, and the verdicts", "ThreadExporter.Linux ThreadExporter.Procfs Matching Settings Cgroups Model Collection"),
        ("Recording", "what is kept of the last hours, in SQLite", "ThreadExporter.Linux Configuration HotThreads"),
        ("Exposition/Buffers", "the memory of a scrape", ""),
        ("Exposition", "names and text of metrics", "ThreadExporter.Linux ThreadExporter.Procfs Configuration Settings Cgroups Model Collection Exposition/Buffers"),
        ("Web/Server", "sockets, TLS, limits", "ThreadExporter.Linux Configuration Settings Exposition"),
        ("Web/Auth", "passwords", "ThreadExporter.Linux Settings Web/Server"),
        ("Web", "the endpoints for metrics, health and reload", "Text Configuration Settings Exposition Exposition/Buffers Web/Server"),
        ("Web/Pages", "the pages and the API", "ThreadExporter.Linux ThreadExporter.Procfs Text Configuration Matching Roles Settings Collection HotThreads Recording Exposition Web/Server Web"),
        ("Hosting", "reload, watchdog, sampler thread", "ThreadExporter.Linux ThreadExporter.Systemd ThreadExporter.Procfs Configuration Matching Settings Logging Collection HotThreads Recording Exposition"),
        ("Client", "how a command asks a daemon, and for which time", "Text Configuration Web/Pages"),
        ("Top", "the hot page in a terminal", "ThreadExporter.Linux ThreadExporter.Procfs Text Settings Cgroups Collection HotThreads Web/Pages Client"),
        ("Commands", "commands and exit codes", "*"),
        ("ThreadExporter", "Program.cs: the start", "Text Settings Commands"),
    ];

    private readonly SourceGraph _graph = new();

    [Fact]
    public void Every_folder_has_a_row() => Assert.Equal(Rows.Select(r => r.Folder).Order(), _graph.Files.Select(f => f.Folder).Distinct().Order());

    [Fact]
    public void A_row_names_only_folders_above_it()
    {
        for (int i = 0; i < Rows.Length; i++)
            Assert.Subset(Rows[..i].Select(r => r.Folder).ToHashSet(), Allowed(Rows[i].Folder));
    }

    [Fact]
    public void A_folder_uses_what_its_row_names_and_nothing_else()
    {
        List<string> wrong = [];
        foreach ((string folder, _, string uses) in Rows)
        {
            HashSet<string> used = [];
            foreach (SourceFile file in _graph.Files.Where(f => f.Folder == folder))
            {
                foreach (SourceFile other in _graph.UsedBy(file).Where(o => o.Folder != folder))
                {
                    used.Add(other.Folder);
                    if (!Allowed(folder).Contains(other.Folder))
                        wrong.Add($"{file.Path} uses {other.Path}");
                }
            }
            if (uses != "*")
                wrong.AddRange(Allowed(folder).Except(used).Select(unused => $"{folder} does not use {unused}"));
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public void No_files_use_each_other_in_a_circle() =>
        Assert.Empty(_graph.Circles().Select(c => string.Join(", ", c.Select(f => f.Path))));

    [Fact]
    public void Only_ThreadExporter_Linux_calls_native_code()
    {
        Assert.Contains(_graph.Files, f => f.Folder == "ThreadExporter.Linux" && NativeCall().IsMatch(f.Code));
        Assert.Empty(_graph.Files.Where(f => f.Folder != "ThreadExporter.Linux" && NativeCall().IsMatch(f.Code)).Select(f => f.Path));
    }

    [Fact]
    public void CONTRIBUTING_shows_this_table()
    {
        string path = Repository.File("CONTRIBUTING.md");
        string text = File.ReadAllText(path);
        string table = "| folder | question | uses |\n|---|---|---|\n" + string.Concat(Enumerable.Reverse(Rows).Select(r => $"| `{Shown(r.Folder)}` | {r.Question} | {Shown(r.Uses)} |\n"));
        string updated = Table().Replace(text, m => m.Groups[1].Value + table + m.Groups[2].Value);
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1")
            File.WriteAllText(path, updated);
        else
            Assert.True(updated == text && text.Contains(table, StringComparison.Ordinal), "run `make docs`");
    }

    private static string Shown(string folders) => folders == "*" ? "all of them" : folders.Replace("ThreadExporter.", "", StringComparison.Ordinal).Replace(" ", ", ", StringComparison.Ordinal);

    private static HashSet<string> Allowed(string folder)
    {
        string uses = Rows.Single(r => r.Folder == folder).Uses;
        return uses == "*" ? [.. Rows.Select(r => r.Folder).TakeWhile(f => f != folder)] : [.. uses.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
    }

    [GeneratedRegex(@"\b(DllImport|LibraryImport|NativeLibrary|delegate\* unmanaged)\b")]
    private static partial Regex NativeCall();

    [GeneratedRegex(@"(<!-- folders[^\n]*-->\n)[\s\S]*?(<!-- end -->)")]
    private static partial Regex Table();
}
