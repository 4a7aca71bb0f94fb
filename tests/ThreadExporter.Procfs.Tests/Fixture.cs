namespace ThreadExporter.Procfs.Tests;

/// <summary>The files under <c>fixtures/</c>, as the kernel would have written them.</summary>
internal static class Fixture
{
    public static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "fixtures", name);

    public static byte[] Read(string name) => File.ReadAllBytes(PathOf(name));

    /// <summary>The text of a test as bytes, one byte per character, so that <c>\xff</c> is the byte 0xff.</summary>
    public static byte[] Latin1(string text) => System.Text.Encoding.Latin1.GetBytes(text);
}
