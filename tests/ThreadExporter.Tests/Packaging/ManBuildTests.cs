using System.IO.Compression;
using System.Reflection;
using ThreadExporter.Commands;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Packaging;

/// <summary>packaging/man/build, which `make man` runs, and the messages of formatters about its pages.</summary>
public sealed class ManBuildTests : IDisposable
{
    private const string Epoch = "1700000000"; // 14 November 2023
    private readonly string _folder = Directory.CreateTempSubdirectory("te-man-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task It_fills_in_the_version_of_the_program_and_leaves_no_placeholder()
    {
        string version = typeof(CommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
        await BuildAsync(Repository.Root, _folder);
        foreach (string page in (string[])["thread-exporter.8", "thread-exporter.toml.5"])
        {
            string text = Unzip(page);
            Assert.Contains($"\n.Os thread-exporter {version}\n", text, StringComparison.Ordinal);
            Assert.DoesNotMatch("(?m)^[^\\n]*@[A-Z]+@", text);
        }
        Assert.Equal(2, Directory.GetFiles(_folder).Length);
    }

    [Theory]
    [InlineData("## Unreleased\n\n- x 2020-01-01\n", "November 14, 2023")]
    [InlineData("## Unreleased\n\n## 7.8.9 / 2026-12-03\n\n## 7.8.8 / 2026-01-01\n", "December 3, 2026")]
    [InlineData("## [7.8.9] - 2026-12-13\n", "December 13, 2026")]
    [InlineData("## 7.8.90 / 2026-12-03\n## 7x8.9 / 2026-12-03\n", "November 14, 2023")]
    public async Task The_date_is_that_of_the_changelog_or_of_the_build(string changelog, string date)
    {
        string tree = Path.Combine(_folder, "tree");
        string folder = Path.Combine(tree, "packaging/man");
        Directory.CreateDirectory(folder);
        File.Copy(Repository.File("packaging/man/build"), Path.Combine(folder, "build"));
        await File.WriteAllTextAsync(Path.Combine(folder, "x.8"), ".Dd @DATE@\n.Os x @VERSION@\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(tree, "Directory.Build.props"), "<Version>7.8.9</Version>\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(tree, "CHANGELOG.md"), changelog, TestContext.Current.CancellationToken);
        await BuildAsync(tree, _folder);
        Assert.Equal($".Dd {date}\n.Os x 7.8.9\n", Unzip("x.8"));
    }

    [Fact]
    public async Task It_writes_only_the_pages()
    {
        string tree = Path.Combine(_folder, "tree");
        string folder = Path.Combine(tree, "packaging/man");
        Directory.CreateDirectory(folder);
        File.Copy(Repository.File("packaging/man/build"), Path.Combine(folder, "build"));
        (string Path, string Text)[] files =
        [
            (Path.Combine(folder, "x.8"), ".Os x @VERSION@\n"),
            (Path.Combine(tree, "Directory.Build.props"), "<Version>7.8.9</Version>\n"),
            (Path.Combine(tree, "CHANGELOG.md"), ""),
            (Path.Combine(_folder, "x.8"), "of another user"),
        ];
        foreach ((string path, string text) in files)
            await File.WriteAllTextAsync(path, text, TestContext.Current.CancellationToken);
        // Into a directory with a page of that name, and into the source directory.
        await BuildAsync(tree, _folder);
        await BuildAsync(tree, folder);
        foreach ((string path, string text) in files)
            Assert.Equal(text, await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        Assert.Equal(".Os x 7.8.9\n", Unzip("x.8"));
    }

    [Fact]
    public async Task Two_builds_are_identical()
    {
        await BuildAsync(Repository.Root, _folder);
        byte[] first = await File.ReadAllBytesAsync(Path.Combine(_folder, "thread-exporter.8.gz"), TestContext.Current.CancellationToken);
        File.SetLastWriteTimeUtc(Path.Combine(_folder, "thread-exporter.8.gz"), DateTime.UnixEpoch);
        await BuildAsync(Repository.Root, _folder);
        Assert.Equal(first, await File.ReadAllBytesAsync(Path.Combine(_folder, "thread-exporter.8.gz"), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("mandoc", "-T lint -W warning")]
    [InlineData("groff", "-ww -mdoc -Tutf8 -z")]
    public async Task Formatters_report_nothing(string tool, string options)
    {
        Assert.SkipUnless(File.Exists($"/usr/bin/{tool}"), $"{tool} is not installed");
        await BuildAsync(Repository.Root, _folder);
        foreach (string page in (string[])["thread-exporter.8", "thread-exporter.toml.5"])
        {
            string plain = Path.Combine(_folder, page);
            await File.WriteAllTextAsync(plain, Unzip(page), TestContext.Current.CancellationToken);
            (int code, string output, string error) = await ShellRun.RunAsync(tool, [.. options.Split(' '), plain]);
            Assert.Equal((0, "", ""), (code, output, error));
        }
    }

    private static async Task BuildAsync(string tree, string to)
    {
        (int code, string output, string error) = await ShellRun.RunAsync(
            Path.Combine(tree, "packaging/man/build"), [to], environment: new Dictionary<string, string> { ["SOURCE_DATE_EPOCH"] = Epoch, ["LC_ALL"] = "de_DE.UTF-8" });
        Assert.Equal((0, "", ""), (code, output, error));
    }

    private string Unzip(string page)
    {
        using StreamReader text = new(new GZipStream(File.OpenRead(Path.Combine(_folder, page + ".gz")), CompressionMode.Decompress));
        return text.ReadToEnd();
    }
}
