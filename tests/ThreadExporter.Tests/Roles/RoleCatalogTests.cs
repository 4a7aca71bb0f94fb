using ThreadExporter.Configuration;
using ThreadExporter.Matching;
using ThreadExporter.Roles;
using ThreadExporter.Settings;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Roles;

/// <summary>Which role a thread gets from several files, which files are left out, and what a reload changes.</summary>
public sealed class RoleCatalogTests : IDisposable
{
    private readonly RoleFolder _own = new(), _shipped = new();

    public void Dispose()
    {
        _own.Dispose();
        _shipped.Dispose();
    }

    [Fact]
    public void The_first_role_wins_own_files_first_then_by_name()
    {
        _shipped.Write("a.toml", RoleFolder.Role("osd", "*", "shipped a") + RoleFolder.Role("osd", "sync", "never reached"));
        Assert.Equal("shipped a", Find("osd", "sync"));
        _own.Write("z.toml", RoleFolder.Role("osd", "sync", "own z"));
        Assert.Equal("own z", Find("osd", "sync"));
        Assert.Equal("shipped a", Find("osd", "other"));
        _own.Write("b.toml", RoleFolder.Role("osd", "s*", "own b"));
        Assert.Equal("own b", Find("osd", "sync"));
        Assert.Null(Find("mon", "sync"));
    }

    [Fact]
    public void A_bad_file_is_left_out_as_a_whole_and_the_others_stay()
    {
        _own.Write("good.toml", RoleFolder.Role("p", "good", "good"));
        string bad = _own.Write("bad.toml", RoleFolder.Role("p", "fine", "fine") + "colour = \"red\"\n");
        string directory = Path.Combine(_own.Path, "unreadable.toml");
        File.CreateSymbolicLink(directory, "/no/such/file");
        RoleCatalog catalog = Load();
        Assert.Equal([$"{bad}:6:1: unknown key role.colour", $"{directory}: no such file: the path is a dangling symbolic link"], catalog.Errors.Select(e => e.ToString()));
        Assert.Equal("good", catalog.Find("p", "good", isKernelThread: false)?.Name);
        Assert.Null(catalog.Find("p", "fine", isKernelThread: false));
    }

    [Fact]
    public void Missing_folders_and_other_files_are_fine()
    {
        _own.Write("notes.txt", "no role");
        _own.Write(".hidden.toml", "no role");
        Directory.CreateDirectory(Path.Combine(_own.Path, "folder.toml"));
        RoleCatalog catalog = RoleCatalog.Load([_own.Path, "/no/such/roles.d"]);
        Assert.Empty(catalog.Errors);
        Assert.Empty(catalog.Roles);
    }

    [Fact]
    public void Files_sizes_and_roles_are_bounded()
    {
        string large = _own.Write("large.toml", new string('#', 256 * 1024 + 1));
        Assert.Equal($"{large}: the file is longer than 262144 bytes", Assert.Single(Load().Errors).ToString());
        File.Delete(large);
        _own.Write("a.toml", string.Concat(Enumerable.Range(0, 1000).Select(i => RoleFolder.Role("p", $"t{i}", "r"))));
        string more = _own.Write("b.toml", RoleFolder.Role("p", "one more", "r"));
        Assert.Equal($"{more}: there are more than 1000 roles with those of this file: remove some", Assert.Single(Load().Errors).ToString());
        for (int i = 0; i < 99; i++)
            _shipped.Write($"{i}.toml", "");
        Assert.Single(Load().Errors);
        for (int i = 0; i < 2; i++)
            _shipped.Write($"{i}-more.toml", "");
        Assert.Contains($"{_shipped.Path}: has more than 100 role files: none of them is used", Load().Errors.Select(e => e.ToString()));
        for (int i = 0; i < 60; i++)
            _own.Write($"bad{i}.toml", "x");
        Assert.Equal(50, Load().Errors.Length);
    }

    [Fact]
    public void A_search_finds_by_name_by_glob_and_by_a_name_that_is_not_cut_yet()
    {
        _own.Write("a.toml", RoleFolder.Role("java", "C2 CompilerThre", "compiler") + RoleFolder.Role("*", "iou-wrk-*", "worker")
            + "[[role]]\nkernel = true\nthread = \"kswapd*\"\nrole = \"reclaim\"\ntext = \"t\"\n");
        RoleCatalog catalog = Load();
        string[] Search(string name) => [.. catalog.Search(new Glob(name)).Select(r => r.Name)];
        Assert.Equal(["compiler"], Search("java"));
        Assert.Equal(["compiler"], Search("C2 CompilerThread0"));
        Assert.Equal(["compiler"], Search("C2*"));
        Assert.Equal(["worker"], Search("iou-wrk-4711"));
        Assert.Equal(["reclaim"], Search("kswapd0"));
        Assert.Equal(["compiler", "worker", "reclaim"], Search("*"));
        Assert.Empty(Search("nginx"));
    }

    [Fact]
    public void A_reload_takes_configuration_and_roles_together_or_neither()
    {
        using TempConfig config = new("[[filter]]\nname = \"first\"\nmatch = \"x\"\n");
        _own.Write("a.toml", RoleFolder.Role("p", "t", "first"));
        _own.Write("b.toml", "bad at the start");
        ConfigHolder holder = ConfigHolder.Load(config.Path, mayBeMissing: false, new ConfigOverrides(), out _, roleFolders: [_own.Path])!;
        Assert.True(holder.Last.Succeeded);
        Assert.Single(holder.Current.Roles.Errors);
        Assert.Equal(("first", "first"), Active(holder));

        config.Write("[[filter]]\nname = \"second\"\nmatch = \"x\"\n");
        _own.Write("a.toml", RoleFolder.Role("p", "t", "second"));
        ReloadResult failed = holder.Reload();
        Assert.Equal(Path.Combine(_own.Path, "b.toml"), Assert.Single(failed.Errors).File);
        Assert.Equal(("first", "first"), Active(holder));

        _own.Write("b.toml", "");
        config.Write("[[filter]]\nname = 7\nmatch = \"x\"\n");
        Assert.Equal(config.Path, Assert.Single(holder.Reload().Errors).File);
        Assert.Equal(("first", "first"), Active(holder));

        config.Write("[[filter]]\nname = \"second\"\nmatch = \"x\"\n");
        Assert.True(holder.Reload().Succeeded);
        Assert.Equal(("second", "second"), Active(holder));
        Assert.Empty(holder.Current.Roles.Errors);
    }

    private static (string Filter, string? Role) Active(ConfigHolder holder) =>
        (holder.Current.Config.Filters.Single().Name, holder.Current.Roles.Find("p", "t", isKernelThread: false)?.Name);

    private RoleCatalog Load() => RoleCatalog.Load([_own.Path, _shipped.Path]);

    private string? Find(string process, string thread)
    {
        RoleCatalog catalog = Load();
        Assert.Empty(catalog.Errors);
        return catalog.Find(process, thread, isKernelThread: false)?.Name;
    }
}
