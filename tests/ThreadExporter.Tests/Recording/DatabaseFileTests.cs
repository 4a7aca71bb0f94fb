using ThreadExporter.Recording;
using static ThreadExporter.Tests.Recording.RecorderFolder;

namespace ThreadExporter.Tests.Recording;

/// <summary><see cref="DatabaseFile"/>: only a database of ours is opened, and no file is lost.</summary>
public sealed class DatabaseFileTests : IDisposable
{
    private readonly RecorderFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("not a database at all")]
    [InlineData("SQLite format 3\0 and then something else")]
    public void A_file_that_is_no_database_is_moved_aside_with_its_content(string content)
    {
        File.WriteAllText(_folder.Database, content.PadRight(5000, 'x'));
        File.WriteAllText(_folder.Database + "-wal", "its log");
        _folder.File.Prepare(out string? movedTo);
        Assert.Matches(@"/recorder\.db\.damaged-[0-9]{8}T[0-9]{6}Z$", movedTo);
        Assert.Equal(content.PadRight(5000, 'x'), File.ReadAllText(movedTo!));
        Assert.Equal("its log", File.ReadAllText(movedTo + "-wal"));
        Assert.Equal(0, new FileInfo(_folder.Database).Length);
        Assert.False(File.Exists(_folder.Database + "-wal"));
        _folder.Open().Dispose();
    }

    [Fact]
    public void A_database_of_another_program_is_moved_aside_and_stays_as_it_is()
    {
        File.WriteAllBytes(_folder.Database, []);
        using (SqliteDatabase other = new(_folder.Database))
            other.Execute("CREATE TABLE precious(x)");
        _folder.Open().Dispose();
        using SqliteDatabase moved = new(Assert.Single(_folder.Aside));
        Assert.Equal(0, moved.Number("SELECT count(*) FROM precious"));
    }

    [Fact]
    public void A_newer_database_is_left_alone()
    {
        using (RecorderStore store = _folder.Open())
            store.Database.Execute("PRAGMA user_version = 2");
        byte[] before = File.ReadAllBytes(_folder.Database);
        IOException error = Assert.Throws<IOException>(() => _folder.File.Prepare(out _));
        Assert.Equal($"{_folder.Database} was written by a newer version of thread-exporter: remove it, or set recorder.directory", error.Message);
        Assert.Equal(before, File.ReadAllBytes(_folder.Database));
        Assert.Empty(_folder.Aside);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-wal")]
    [InlineData("-journal")]
    public void A_symbolic_link_is_refused_and_its_target_stays(string suffix)
    {
        string target = Path.Combine(_folder.Path, "target");
        File.WriteAllText(target, "precious");
        File.CreateSymbolicLink(_folder.Database + suffix, target);
        IOException error = Assert.Throws<IOException>(() => _folder.File.Prepare(out _));
        Assert.Equal($"{_folder.Database}{suffix} is not a regular file: remove it, or set recorder.directory", error.Message);
        Assert.Equal("precious", File.ReadAllText(target));
        File.Delete(target);
        Assert.Throws<IOException>(() => _folder.File.Prepare(out _));
        Assert.False(File.Exists(target), "a link that leads nowhere is not followed either");
    }

    [Fact]
    public void A_directory_in_place_of_the_file_or_no_directory_at_all_is_an_error()
    {
        Directory.CreateDirectory(_folder.Database);
        Assert.Contains("is not a regular file", Assert.Throws<IOException>(() => _folder.File.Prepare(out _)).Message, StringComparison.Ordinal);
        DatabaseFile missing = new(Path.Combine(_folder.Path, "missing", "recorder.db"), TimeProvider.System);
        Assert.Equal($"no directory {_folder.Path}/missing: create it, or set recorder.directory", Assert.Throws<IOException>(() => missing.Prepare(out _)).Message);
    }

    [Fact]
    public void After_three_damaged_files_a_person_has_to_look()
    {
        for (int i = 0; i < 3; i++)
            File.WriteAllText($"{_folder.Database}.damaged-2026010{i}T000000Z", "damaged");
        File.WriteAllText(_folder.Database, "damaged, too");
        IOException error = Assert.Throws<IOException>(() => _folder.File.Prepare(out _));
        Assert.EndsWith($"so are 3 others beside it: remove {_folder.Database}.damaged-*", error.Message, StringComparison.Ordinal);
        Assert.Equal("damaged, too", File.ReadAllText(_folder.Database));
        Assert.Equal(3, _folder.Aside.Length);
    }

    [Theory]
    [InlineData(4096 * 3)]
    [InlineData(4096 * 2 + 100)]
    [InlineData(99)]
    public void A_truncated_database_is_found_to_be_damaged(int length)
    {
        Fill();
        using (FileStream file = new(_folder.Database, FileMode.Open))
            file.SetLength(length);
        if (length < 100)
        {
            _folder.File.Prepare(out string? movedTo);
            Assert.NotNull(movedTo);
        }
        else
        {
            Assert.True(Assert.Throws<SqliteFailure>(() => _folder.Open()).IsDamage);
        }
    }

    [Fact]
    public void Any_damaged_page_is_found_or_harmless()
    {
        Fill();
        byte[] good = File.ReadAllBytes(_folder.Database);
        Random random = new(1);
        int found = 0;
        for (int i = 0; i < 60; i++)
        {
            byte[] bad = [.. good];
            int at = random.Next(100, bad.Length - 512);
            random.NextBytes(bad.AsSpan(at, 512));
            File.WriteAllBytes(_folder.Database, bad);
            try
            {
                using RecorderStore store = _folder.Open();
                RecorderQueries queries = new(store.Database);
                Assert.InRange(queries.Intervals(new RecordedRange(0, long.MaxValue)).Sum(x => x.Rows.Length), 0, 100_000);
                store.Write(Interval(1000, Row()), TimeSpan.FromDays(1), 1024 * 1024);
            }
            catch (Exception e) when (e is SqliteFailure { IsDamage: true } or InvalidDataException)
            {
                found++;
            }
            foreach (string file in Directory.GetFiles(_folder.Path))
                File.Delete(file);
        }
        Assert.InRange(found, 10, 60);
    }

    private void Fill()
    {
        using RecorderStore store = _folder.Open();
        for (int i = 0; i < 300; i++)
            store.Write(Interval(i, Row(i, $"thread-{i}")), TimeSpan.FromDays(1), 1024 * 1024);
    }
}
