using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using ThreadExporter.Tests.Support;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Tests.Web.Pages;

/// <summary>docs/api.md names every field of the responses about what was recorded, and no other.</summary>
public sealed partial class RecorderDocsTests
{
    private static string Recorded { get; } = File.ReadAllText(Repository.File("docs/api.md")).Split("\n## Recorded moments\n")[1];

    [Theory]
    [InlineData("hot?at=", typeof(HotRecordedResponse), "recorded")]
    [InlineData("recorder?", typeof(RecorderResponse), "")]
    [InlineData("report?", typeof(ReportResponse), "")]
    public void Every_field_is_documented(string section, Type response, string path)
    {
        string text = Recorded.Split("\n### ").Single(s => s.StartsWith("`GET /api/v1/" + section, StringComparison.Ordinal));
        IEnumerable<string> documented = Field().Matches(text).Select(m => m.Groups[1].Value);
        // The rows of `wait` are those of `cpu`.
        Assert.Equal(Fields(response, path).Where(f => !f.StartsWith("wait[]", StringComparison.Ordinal)), documented);
    }

    private static IEnumerable<string> Fields(Type type, string path)
    {
        foreach (PropertyInfo property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            string name = (path.Length == 0 ? "" : path + ".") + JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
            if (property.PropertyType.IsArray)
            {
                foreach (string field in Fields(property.PropertyType.GetElementType()!, name + "[]"))
                    yield return field;
            }
            else
            {
                yield return name;
            }
        }
    }

    [GeneratedRegex(@"^\| `([a-z_.\[\]]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Field();
}
