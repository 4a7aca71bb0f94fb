namespace ThreadExporter.Commands;

/// <summary>What ends a command, in one line for a person at a terminal or in the journal.</summary>
internal static class Failures
{
    /// <summary>The message of an error of the system, which says all; of anything else also the type, because it is a bug.</summary>
    public static string Line(Exception error)
    {
        string text = error is IOException or UnauthorizedAccessException
            ? error.Message
            : $"internal error, please report it: {error.GetType().Name}: {error.Message}";
        return text.ReplaceLineEndings(" ");
    }
}
