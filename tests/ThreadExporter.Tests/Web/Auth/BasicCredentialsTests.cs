using System.Text;
using Microsoft.Extensions.Primitives;
using ThreadExporter.Linux;
using ThreadExporter.Web.Auth;

namespace ThreadExporter.Tests.Web.Auth;

/// <summary>The Authorization header, as browsers send it and malformed.</summary>
public class BasicCredentialsTests
{
    private static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    [Theory]
    [InlineData("user:secret", "user", "secret")]
    [InlineData("user:", "user", "")]
    [InlineData("user:a:b:c", "user", "a:b:c")]
    [InlineData("jane.doe@example:pässwörd €", "jane.doe@example", "pässwörd €")]
    public void User_and_password_are_split_at_the_first_colon(string text, string user, string password)
    {
        foreach (string scheme in (string[])["Basic ", "basic ", "BASIC    "])
        {
            BasicCredentials given = BasicCredentials.Parse(scheme + Encode(text))!;
            Assert.Equal((user, password), (given.User, Encoding.UTF8.GetString(given.Password)));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("Basic")]
    [InlineData("Basic ")]
    [InlineData("Basic !!!!")]
    [InlineData("Basic dXNlcjpz=")]
    [InlineData("Basic dXNl cjpz")]
    [InlineData("Basic dXNl\tcjpz")]
    [InlineData("Basic\tdXNlcjpz")]
    [InlineData("Basicd XNlcjpz")]
    [InlineData("Bearer dXNlcjpz")]
    [InlineData("Basic dXNlcjpz, Basic dXNlcjpz")]
    [InlineData("Basic realm=\"x\"")]
    [InlineData("Digest username=\"user\"")]
    [InlineData("Basic ////")]
    public void Malformed_headers_are_rejected(string header) => Assert.Null(BasicCredentials.Parse(header));

    [Theory]
    [InlineData("no colon")]
    [InlineData(":no user")]
    [InlineData("")]
    [InlineData("user:secret\0and more")]
    [InlineData("us\0er:secret")]
    public void A_pair_that_no_user_can_have_is_none(string pair) => Assert.Null(BasicCredentials.Parse("Basic " + Encode(pair)));

    [Fact]
    public void A_missing_header_and_two_headers_are_rejected()
    {
        Assert.Null(BasicCredentials.Parse(default));
        Assert.Null(BasicCredentials.Parse(new StringValues([])));
        Assert.Null(BasicCredentials.Parse(new StringValues(["Basic dXNlcjpz", "Basic dXNlcjpz"])));
        Assert.NotNull(BasicCredentials.Parse(new StringValues(["Basic dXNlcjpz"])));
    }

    [Fact]
    public void A_name_that_is_not_UTF_8_is_none_and_a_password_may_be_any_bytes()
    {
        Assert.Null(BasicCredentials.Parse("Basic " + Convert.ToBase64String([0xff, 0xfe, (byte)':', (byte)'x'])));
        Assert.Equal([0xff, 0xfe], BasicCredentials.Parse("Basic " + Convert.ToBase64String([(byte)'u', (byte)':', 0xff, 0xfe]))!.Password);
    }

    [Fact]
    public void Lengths_are_bounded()
    {
        Assert.NotNull(BasicCredentials.Parse("Basic " + Encode($"{new string('u', 256)}:{new string('p', Crypt.MaxPassword)}")));
        Assert.Null(BasicCredentials.Parse("Basic " + Encode($"{new string('u', 257)}:p")));
        Assert.Null(BasicCredentials.Parse("Basic " + Encode($"u:{new string('p', Crypt.MaxPassword + 1)}")));
        Assert.Null(BasicCredentials.Parse("Basic " + new string('A', 30_000)));
    }

    [Fact]
    public void Its_text_contains_no_secret() => Assert.Equal("BasicCredentials", $"{BasicCredentials.Parse("Basic dXNlcjpz")}");
}
