using System.Globalization;

namespace ThreadExporter.Linux.Tests;

public class UsersTests
{
    [Theory]
    [InlineData("root", 0u)]
    [InlineData("0", 0u)]
    [InlineData("1000", 1000u)]
    [InlineData("00012", 12u)]
    [InlineData("4294967294", 4294967294u)]
    public void A_name_or_a_number(string user, uint expected)
    {
        Assert.Equal(UserLookupResult.Found(expected), Users.LookUp(user));
        Assert.Equal(user != "root", Users.NeedsNoLookup(user, out _));
    }

    [Fact]
    public void Every_user_of_this_machine()
    {
        // The first entry of a name counts, and NIS lines (+name) are not names.
        HashSet<string> seen = new();
        foreach (string[] fields in File.ReadLines("/etc/passwd").Select(line => line.Split(':')).Where(f => f.Length == 7 && f[0][0] != '+'))
        {
            if (!seen.Add(fields[0]))
                continue;
            Assert.Equal((fields[0], UserLookupResult.Found(uint.Parse(fields[2], CultureInfo.InvariantCulture))), (fields[0], Users.LookUp(fields[0])));
        }
        Assert.NotEmpty(seen);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no-such-user-here")]
    [InlineData("4294967295")]
    [InlineData("4294967296")]
    [InlineData("99999999999999999999999999")]
    [InlineData("-1")]
    [InlineData("1 ")]
    [InlineData("١٢")]
    [InlineData("root\0x")]
    [InlineData("root\n")]
    public void Nobody(string user)
    {
        Assert.Equal(UserLookupResult.NotFound, Users.LookUp(user));
    }
}
