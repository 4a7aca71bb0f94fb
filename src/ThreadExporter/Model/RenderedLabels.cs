namespace ThreadExporter.Model;

/// <summary>A rendered label set, kept until a label changes.</summary>
internal sealed class RenderedLabels
{
    private int _version;

    /// <summary>UTF-8, with braces; null: not rendered yet.</summary>
    public byte[]? Text { get; private set; }

    /// <summary>Whether it was rendered from this <see cref="WatchedProcess.LabelsVersion"/>.</summary>
    public bool IsCurrent(int version) => Text is not null && _version == version;

    /// <summary>Replaces the text.</summary>
    /// <param name="text">The new text, not to be changed afterwards.</param>
    /// <param name="version">The <see cref="WatchedProcess.LabelsVersion"/> that it was rendered from.</param>
    public void Set(byte[] text, int version) => (Text, _version) = (text, version);
}
