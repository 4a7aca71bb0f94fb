using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Packaging;

/// <summary><c>make install</c> and <c>make uninstall</c> overwrite and delete only what install itself put there.</summary>
public sealed class MakeInstallTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("te-install-").FullName;

    private string Tree => Path.Combine(_folder, "tree");

    private string Target => Path.Combine(_folder, "target");

    [Fact]
    public async Task Uninstall_removes_what_install_made_and_keeps_the_configuration()
    {
        await MakeAsync("install");
        Assert.True(File.Exists(Target + "/etc/firewalld/services/thread-exporter.xml"));
        await MakeAsync("uninstall");
        Assert.Equal(
            ["/etc/sysconfig/thread-exporter", "/etc/thread-exporter.toml"],
            Directory.GetFiles(Target, "*", SearchOption.AllDirectories).Select(f => f[Target.Length..]).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("etc/firewalld/services/thread-exporter.xml")]
    [InlineData("etc/thread-exporter.toml")]
    [InlineData("etc/sysconfig/thread-exporter")]
    public async Task Files_of_the_administrator_survive_both(string path)
    {
        string file = Path.Combine(Target, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllTextAsync(file, "mine", TestContext.Current.CancellationToken);
        await MakeAsync("install");
        Assert.Equal("mine", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        await MakeAsync("uninstall");
        Assert.Equal("mine", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }

    /// <summary>A ReadyToRun program contains CoreCLR, whose JIT compiler cannot run under the unit as it is.</summary>
    [Fact]
    public async Task Only_a_program_without_native_code_gets_the_drop_in_for_the_jit_compiler()
    {
        const string Unit = "/usr/local/lib/systemd/system/thread-exporter.service", DropIn = Unit + ".d/50-readytorun.conf";
        await MakeAsync("install");
        string relaxed = await File.ReadAllTextAsync(Target + DropIn, TestContext.Current.CancellationToken);
        Assert.Contains("\nMemoryDenyWriteExecute=false\n", relaxed, StringComparison.Ordinal);
        Assert.Contains("\nSystemCallFilter=sched_setaffinity\n", relaxed, StringComparison.Ordinal);
        Assert.Contains("\nEnvironment=DOTNET_EnableDiagnostics=0\n", relaxed, StringComparison.Ordinal);

        // The section that Native AOT puts compiled code into.
        await File.WriteAllTextAsync(Tree + "/dist/thread-exporter", "\0.text\0__managedcode\0", TestContext.Current.CancellationToken);
        await MakeAsync("install");
        Assert.False(File.Exists(Target + DropIn));
        string unit = await File.ReadAllTextAsync(Target + Unit, TestContext.Current.CancellationToken);
        Assert.Contains("\nMemoryDenyWriteExecute=true\n", unit, StringComparison.Ordinal);
        Assert.DoesNotContain("sched_setaffinity", unit, StringComparison.Ordinal);
        Assert.DoesNotContain("DOTNET_", unit, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task MakeAsync(string target)
    {
        if (!Directory.Exists(Tree))
        {
            (string From, string To)[] links = [("Makefile", "Makefile"), ("packaging", "packaging"), ("etc", "etc"), ("Directory.Build.props", "Directory.Build.props")];
            Directory.CreateDirectory(Tree + "/dist/man");
            foreach ((string from, string to) in links)
                File.CreateSymbolicLink(Path.Combine(Tree, to), Repository.File(from));
            foreach (string made in (string[])["dist/thread-exporter", "dist/man/thread-exporter.8.gz", "dist/man/thread-exporter.toml.5.gz"])
                await File.WriteAllTextAsync(Path.Combine(Tree, made), "made", TestContext.Current.CancellationToken);
            File.SetUnixFileMode(Tree + "/dist/thread-exporter", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        (int code, string output, string error) = await ShellRun.RunAsync("make", ["-s", target, $"DESTDIR={Target}"], Tree);
        Assert.True(code == 0, output + error);
    }
}
