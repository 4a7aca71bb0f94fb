namespace ThreadExporter.Commands;

/// <summary>Formats the exception that ends a command, as one line for the terminal or the journal.</summary>
internal static class Failures
{
    /// <summary>The message of a system error; for any other exception, which is a bug, also its type.</summary>
    public static string Line(Exception error)
    {
        string text = error is IOException or UnauthorizedAccessException
            ? error.Message
            : $"internal error, please report it: {error.GetType().Name}: {error.Message}";
        return text.ReplaceLineEndings(" ");
    }
}
