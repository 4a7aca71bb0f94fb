namespace ThreadExporter.Model;

/// <summary>A label set as text, kept until a label changes.</summary>
internal sealed class RenderedLabels
{
    private int _version;

    /// <summary>UTF-8, with braces; null: not rendered yet.</summary>
    public byte[]? Text { get; private set; }

    /// <summary>Whether it was rendered from this <see cref="WatchedProcess.LabelsVersion"/>.</summary>
    public bool IsCurrent(int version) => Text is not null && _version == version;

    public void Set(byte[] text, int version) => (Text, _version) = (text, version);
}
