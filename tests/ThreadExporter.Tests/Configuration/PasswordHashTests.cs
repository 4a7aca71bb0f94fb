using System.Diagnostics;
using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Configuration;

/// <summary>Hashes of mkpasswd, htpasswd and openssl of Debian 12, checked by the system's libcrypt.</summary>
public class PasswordHashTests
{
    public const string Password = "correct horse";

    public const string Bcrypt = "$2b$05$4I2.NM9qhEMJGN3dakPEgOSNkefu.2lU6hFCfOxTpPVx761SRfGGq";

    public static TheoryData<string, string> Vectors => new()
    {
        { "mkpasswd -m bcrypt", Bcrypt },
        { "mkpasswd -m bcrypt-a", "$2a$05$zV9se/WC6ZnbADMUIAgPxewQssRzoZnFlIdfdtYMAetgWHb2zpkg6" },
        { "htpasswd -nbBC 5", "$2y$05$bVaFcQBjs/WXZV0Txwo54.siYRp5l8oZnY0ggS/VcyS.UopLvZiYK" },
        { "openssl passwd -6", "$6$H8R/qwcX.DPIodvB$.HIpFI8G3G2h5HAjdPZd3xiEaKoJi1LQbn98qEzJJXWnycT.NnBMtrdKZb/iKttMmaFFqj4Op7FN/mOYFvAlx." },
        { "mkpasswd -m sha512crypt -R 1000", "$6$rounds=1000$aGmoi4r04HslUvxC$PfPzLuVtqoj54bLmqDhzukc8dqsRq7DQrYMy0y5d.a9DfuuMxbsh8g78APyHOktBhGWppdePx0c9vJmhNGOnd." },
        { "mkpasswd -m yescrypt", "$y$j9T$/KmYw1vLhAjOc68oqRLXF/$dbiDMTVaeMD7Il1kZzNtzYJkqBCmPlpv4MPPM8CYV1." },
        { "mkpasswd -m yescrypt -R 1", "$y$j75$GoHCjoH/UsLiMo7GbRLmo0$sGyoT.uSi0jHxOWbQvtWNCDzTO5Kw/8BJVvJvu3gB25" },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void A_hash_matches_its_password_and_no_other(string made, string hash)
    {
        Assert.NotEmpty(made);
        Assert.Null(PasswordHash.GetHashError(hash));
        Assert.True(PasswordHash.IsSupported(hash));
        Assert.True(PasswordHash.Verify(Encoding.UTF8.GetBytes(Password), hash));
        foreach (string other in (string[])["", "correct hors", "correct horse ", "Correct horse", new('x', Crypt.MaxPassword), new('x', Crypt.MaxPassword + 1)])
            Assert.False(PasswordHash.Verify(Encoding.UTF8.GetBytes(other), hash));
    }

    [Fact]
    public void Passwords_beyond_ASCII_are_UTF_8() =>
        Assert.True(PasswordHash.Verify(Encoding.UTF8.GetBytes("pässwörd:with:colons"), "$2b$05$E5b/4oW4dH.8LFpIf/DaFeh0QtNDD09eNAJTlS8728Gv.o2Aoq.Ca"));

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("!")]
    [InlineData("correct horse")]
    [InlineData("$2b$05$4I2.NM9qhEMJGN3dakPEgOSNkefu.2lU6hFCfOxTpPVx761SRfGG")]
    [InlineData("$2b$05$4I2.NM9qhEMJGN3dakPEgOSNkefu.2lU6hFCfOxTpPVx761SRfGGqq")]
    [InlineData("$2b$05$4I2.NM9qhEMJGN3dakPEgOSNkefu.2lU6hFCfOxTpPVx761SRfGGq\n")]
    [InlineData("$2x$05$4I2.NM9qhEMJGN3dakPEgOSNkefu.2lU6hFCfOxTpPVx761SRfGGq")]
    [InlineData("$2b$03$4I2.NM9qhEMJGN3dakPEgOSNkefu.2lU6hFCfOxTpPVx761SRfGGq")]
    [InlineData("$2b$31$4I2.NM9qhEMJGN3dakPEgOSNkefu.2lU6hFCfOxTpPVx761SRfGGq")]
    [InlineData("$apr1$saltsalt$abcdefghijklmnopqrstu.")]
    [InlineData("$5$saltsaltsaltsalt$abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq")]
    [InlineData("$6$rounds=999999999$aGmoi4r04HslUvxC$PfPzLuVtqoj54bLmqDhzukc8dqsRq7DQrYMy0y5d.a9DfuuMxbsh8g78APyHOktBhGWppdePx0c9vJmhNGOnd.")]
    [InlineData("$y$jFT$SYHYl2TSqkuojntr5xYx0.$Xsro6pZmGH0BYEhQtA73TPMdiFgv2iKA0gcKPvPiQw2")]
    [InlineData("$y$j9T$/KmYw1vLhAjOc68oqRLXF/$")]
    public void An_incomplete_or_too_expensive_hash_is_an_error(string hash) => Assert.NotNull(PasswordHash.GetHashError(hash));

    [Fact]
    public void Without_libcrypt_the_daemon_works_and_users_are_an_error()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/unshare"), "needs root and unshare(1) to hide the library");
        Assert.True(Crypt.IsAvailable, "this system has no libcrypt");
        // It is loaded, so /proc/self/maps has its path.
        IEnumerable<string> libraries = File.ReadLines("/proc/self/maps").Select(l => l.Split(' ')[^1]).Where(p => p.Contains("/libcrypt.so.", StringComparison.Ordinal)).Distinct();
        string hide = string.Concat(libraries.Select(l => $"mount --bind /dev/null {l} && "));
        using TempConfig config = new("");
        Assert.Equal((0, ""), Run(hide, "once", config.Path));
        config.Write($"[web.basic_auth_users]\nprometheus = \"{Bcrypt}\"\n");
        Assert.Equal(
            (78, $"{config.Path}:2:14: web.basic_auth_users.prometheus cannot be checked: this system has no libcrypt.so.1 or libcrypt.so.2 (package libxcrypt or libcrypt1)\n"),
            Run(hide, "check", config.Path));
        Assert.Equal((0, ""), Run("", "check", config.Path));
    }

    private static (int ExitCode, string Error) Run(string before, string command, string config)
    {
        using Process process = Process.Start(new ProcessStartInfo("/usr/bin/unshare", ["--mount", "/bin/sh", "-c", $"{before}exec {Daemon.Program} {command} --config {config}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _ = process.StandardOutput.ReadToEndAsync();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, error);
    }
}
