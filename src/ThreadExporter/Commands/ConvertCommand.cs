using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Text;
using ThreadExporter.Toml;

namespace ThreadExporter.Commands;

/// <summary><c>thread-exporter convert FILE</c>: prints a configuration of process-exporter as filters (docs/process-exporter.md).</summary>
internal static class ConvertCommand
{
    public static int Run(string path)
    {
        if (ConfigFile.Read(path, out ReadOnlyMemory<byte> content, out FileIdentity _) is { } unreadable)
        {
            Console.Error.WriteLine(new ConfigError(path, default, "", unreadable));
            return ExitCode.Failure;
        }
        ProcessExporterConfig config;
        try
        {
            config = ProcessExporterConfig.Read(content.Span);
        }
        catch (InvalidYamlException e)
        {
            Console.Error.WriteLine(new ConfigError(path, e.Position, "", e.Message));
            return ExitCode.BadConfig;
        }
        if (Convert(config, path) is not { } converted)
        {
            Console.Error.WriteLine(new ConfigError(path, default, "", FormattableString.Invariant($"its filters are longer than {TomlDocument.MaxBytes} bytes: split the file")));
            return ExitCode.Failure;
        }
        // Each value was loaded by itself: an error here is one of this command.
        if (ConfigLoader.Parse(Encoding.UTF8.GetBytes(converted.Toml), "", new ConfigOverrides()).Errors is [var error, ..])
            throw new InvalidOperationException($"what convert made of {path} does not load: {error.Message}");
        Console.Out.Write(converted.Toml);
        foreach (ConversionNote note in converted.Notes)
            Console.Error.WriteLine(Printable.Of(FormattableString.Invariant($"{path}:{note.Line}: not carried over: {note.Message}")));
        return converted.Notes.Count == 0 ? ExitCode.Success : ExitCode.Failure;
    }

    /// <summary>Null when the text would be longer than the loader takes.</summary>
    public static (string Toml, IReadOnlyList<ConversionNote> Notes)? Convert(ProcessExporterConfig config, string path)
    {
        TomlFilterWriter writer = new();
        writer.Comment($"The filters of {Path.GetFileName(path)}, made by `thread-exporter convert`.");
        writer.Comment("What process-exporter has in its label groupname is here in the labels daemon and pname.");
        writer.Comment("children = true and detail = \"name\" are what its flags -children and -threads do by default.");
        foreach (SourceText key in config.UnknownKeys)
            writer.NoteOutside(key.Line, $"the key {Printable.Quote(key.Value)}: process-exporter does not know it either");
        if (config.SecondDocument > 0)
            writer.NoteOutside(config.SecondDocument, "a second YAML document: process-exporter does not read it either");
        FilterConversion conversion = new(writer);
        foreach (ProcessMatcher matcher in config.Matchers)
        {
            conversion.Write(matcher);
            if (writer.Length > TomlDocument.MaxBytes)
                return null;
        }
        string toml = writer.Text;
        return Encoding.UTF8.GetByteCount(toml) > TomlDocument.MaxBytes ? null : (toml, writer.Notes);
    }
}
