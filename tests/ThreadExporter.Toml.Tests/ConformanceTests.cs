using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace ThreadExporter.Toml.Tests;

public class ConformanceTests
{
    [Fact]
    public void Every_valid_file_of_the_suite_gives_its_tagged_JSON()
    {
        Assert.SkipUnless(Suite.Root is not null, Suite.WhyAbsent);
        List<string> files = Suite.Files("valid/");
        List<string> failures = new();
        foreach (string file in files)
        {
            TomlDocument document = TomlDocument.Parse(Suite.Read(file));
            using JsonDocument json = JsonDocument.Parse(Suite.Read(Path.ChangeExtension(file, ".json")));
            string? problem = document.Errors.IsEmpty ? TaggedJson.Difference(document.Root, json.RootElement) : document.Errors[0].ToString();
            if (problem is not null)
                failures.Add($"{file}: {problem}");
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"valid: {files.Count - failures.Count} of {files.Count}");
        Assert.Empty(failures);
        Assert.True(files.Count >= 200, $"only {files.Count} files in the list");
    }

    [Fact]
    public void Every_invalid_file_of_the_suite_is_rejected_with_a_position_and_our_message()
    {
        Assert.SkipUnless(Suite.Root is not null, Suite.WhyAbsent);
        List<string> files = Suite.Files("invalid/");
        List<string> failures = new();
        foreach (string file in files)
        {
            byte[] bytes = Suite.Read(file);
            ImmutableArray<TomlError> errors = TomlDocument.Parse(bytes).Errors;
            // The last line break ends the last line; an error at the end of the file may be on the line after it.
            int lines = bytes.AsSpan().Count((byte)'\n') + 1;
            if (errors.IsEmpty)
                failures.Add($"{file}: accepted");
            else if (errors.FirstOrDefault(e => e.Position.Line < 1 || e.Position.Line > lines + 1 || e.Position.Column < 1) is { } nowhere)
                failures.Add($"{file}: {nowhere}");
            else if (errors.FirstOrDefault(e => e.Message == SyntaxErrors.Unknown) is { } unclear)
                failures.Add($"{file}: {unclear}");
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"invalid: {files.Count - failures.Count} of {files.Count}");
        Assert.Empty(failures);
        Assert.True(files.Count >= 400, $"only {files.Count} files in the list");
    }

    [Fact]
    public void No_message_quotes_a_value_of_the_suites_invalid_files()
    {
        Assert.SkipUnless(Suite.Root is not null, Suite.WhyAbsent);
        // The characters of our messages, except keys in backquotes and numbers.
        List<string> messages = Suite.Files("invalid/").SelectMany(f => TomlDocument.Parse(Suite.Read(f)).Errors).Select(e => e.Message).Distinct().ToList();
        List<string> withKey = messages.Where(m => m.StartsWith("the key `", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(withKey);
        Assert.All(withKey, m => Assert.Matches(@"^the key `[^\n]*` is already defined at [0-9]+:[0-9]+$", m));
        List<string> texts = messages.Except(withKey).Where(m => !m.StartsWith("byte 0x", StringComparison.Ordinal)).ToList();
        Assert.True(texts.Count < 40, string.Join("\n", texts));
        Assert.All(texts, m => Assert.DoesNotContain("Unexpected", m, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a = 1\n")]
    [InlineData("\uFEFFa = 1\n")]
    public void A_byte_order_mark_at_the_start_changes_nothing(string text)
    {
        TomlDocument document = TomlDocument.Parse(Encoding.UTF8.GetBytes(text));
        Assert.Empty(document.Errors);
        Assert.Equal(new TomlPosition(1, 1), Assert.Single(document.Root.Entries).KeyPosition);
    }
}
