using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ThreadExporter.Configuration;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Configuration;

/// <summary>Errors about unusable files of [web.tls], at start (exit code 78) and by check.</summary>
public sealed class TlsFilesTests : IDisposable
{
    private const string Garbage = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";

    private readonly TlsFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string[] Errors()
    {
        ConfigResult result = ConfigLoader.Load(_folder.Config.Path, new ConfigOverrides());
        Assert.Equal(result.Errors.IsEmpty, result.Tls is not null);
        Assert.All(result.Errors, e => Assert.StartsWith("web.tls.", e.Key, StringComparison.Ordinal));
        return [.. result.Errors.Select(e => e.ToString()[(_folder.Config.Path.Length + 1)..])];
    }

    [Fact]
    public void Valid_files_have_no_errors() => Assert.Empty(Errors());

    [Theory]
    [InlineData("PKCS#8")]
    [InlineData("SEC 1")]
    [InlineData("PKCS#1")]
    public void Every_form_of_an_unencrypted_key_is_accepted(string form)
    {
        using X509Certificate2 certificate = _folder.Authority.Server(rsa: form == "PKCS#1");
        _folder.Write(certificate);
        // openssl ecparam writes the parameters before the key.
        File.WriteAllText(_folder.Key, form switch
        {
            "PKCS#1" => certificate.GetRSAPrivateKey()!.ExportRSAPrivateKeyPem(),
            "SEC 1" => "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + certificate.GetECDsaPrivateKey()!.ExportECPrivateKeyPem() + "\n",
            _ => TlsFolder.KeyOf(certificate),
        });
        Assert.Empty(Errors());
    }

    [Fact]
    public void A_missing_file_a_directory_and_a_FIFO_are_errors()
    {
        File.Delete(_folder.Cert);
        Assert.Equal([$"6:13: web.tls.cert_file: \"{_folder.Cert}\" cannot be read: no such file"], Errors());
        Directory.CreateDirectory(_folder.Cert);
        Assert.Equal([$"6:13: web.tls.cert_file: \"{_folder.Cert}\" cannot be read: is a directory"], Errors());
        File.Delete(_folder.Key);
        Assert.Equal(0, ShellExit($"mkfifo {_folder.Key}"));
        Assert.Equal(
            [
                $"6:13: web.tls.cert_file: \"{_folder.Cert}\" cannot be read: is a directory",
                $"7:12: web.tls.key_file: \"{_folder.Key}\" cannot be read: is not a regular file",
            ], Errors());
    }

    [Fact]
    public void Files_without_a_certificate_or_key_are_errors()
    {
        string key = File.ReadAllText(_folder.Key), certificate = File.ReadAllText(_folder.Cert);
        TlsFolder.Replace(_folder.Cert, key);
        TlsFolder.Replace(_folder.Key, certificate);
        Assert.Equal([$"6:13: web.tls.cert_file: \"{_folder.Cert}\" contains no PEM certificate"], Errors());
        TlsFolder.Replace(_folder.Cert, certificate);
        Assert.Equal([$"7:12: web.tls.key_file: \"{_folder.Key}\" contains no PEM private key"], Errors());
        TlsFolder.Replace(_folder.Key, key + "\n" + key);
        Assert.Equal([$"7:12: web.tls.key_file: \"{_folder.Key}\" contains more than one private key"], Errors());
        TlsFolder.Replace(_folder.Key, key);
        TlsFolder.Replace(_folder.Cert, Garbage);
        Assert.Equal([$"6:13: web.tls.cert_file: \"{_folder.Cert}\" contains an invalid CERTIFICATE block"], Errors());
        TlsFolder.Replace(_folder.Cert, new string('x', (1 << 20) + 1));
        Assert.Equal([$"6:13: web.tls.cert_file: \"{_folder.Cert}\" cannot be read: the file is longer than 1048576 bytes"], Errors());
    }

    [Fact]
    public void A_key_that_does_not_match_or_is_encrypted_is_an_error()
    {
        string error = $"7:12: web.tls.key_file: \"{_folder.Key}\" is not the ECDSA key of the certificate in web.tls.cert_file";
        using X509Certificate2 other = _folder.Authority.Server(), rsa = _folder.Authority.Server(rsa: true);
        TlsFolder.Replace(_folder.Key, TlsFolder.KeyOf(other));
        Assert.Equal([error], Errors());
        TlsFolder.Replace(_folder.Key, TlsFolder.KeyOf(rsa));
        Assert.Equal([error], Errors());
        TlsFolder.Replace(_folder.Key, rsa.GetRSAPrivateKey()!.ExportRSAPrivateKeyPem());
        Assert.Equal([error], Errors());
        string encrypted = $"7:12: web.tls.key_file: \"{_folder.Key}\" is encrypted: passphrases are not supported";
        TlsFolder.Replace(_folder.Key, other.GetECDsaPrivateKey()!.ExportEncryptedPkcs8PrivateKeyPem("x", new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 1)));
        Assert.Equal([encrypted], Errors());
        TlsFolder.Replace(_folder.Key, "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n");
        Assert.Equal([encrypted], Errors());
    }

    [Fact]
    public void Errors_of_all_three_files_are_reported_at_once()
    {
        TlsFolder.Replace(_folder.Cert, "");
        File.Delete(_folder.Key);
        _folder.WriteConfig($"client_auth_type = \"RequireAndVerifyClientCert\"\nclient_ca_file = \"{_folder.Ca}\"\n");
        TlsFolder.Replace(_folder.Ca, "no PEM");
        Assert.Equal(["6:13: web.tls.cert_file:", "7:12: web.tls.key_file:", "9:18: web.tls.client_ca_file:"], Errors().Select(e => string.Join(' ', e.Split(' ')[..2])));
    }

    [Fact]
    public void Client_CAs_must_include_the_root()
    {
        using TestAuthority root = new("root"), between = new("between", root);
        _folder.WriteConfig($"client_auth_type = \"RequireAndVerifyClientCert\"\nclient_ca_file = \"{_folder.Ca}\"\n");
        TlsFolder.Replace(_folder.Ca, between.Pem);
        Assert.Equal([$"9:18: web.tls.client_ca_file: \"{_folder.Ca}\" contains \"CN=between\" without its issuer: add the CAs up to the self-signed root"], Errors());
        TlsFolder.Replace(_folder.Ca, between.Pem + "\n" + root.Pem);
        Assert.Empty(Errors());
    }

    [Fact]
    public async Task At_start_an_unusable_file_is_a_configuration_error()
    {
        File.Delete(_folder.Key);
        string line = $"{_folder.Config.Path}:7:12: web.tls.key_file: \"{_folder.Key}\" cannot be read: no such file\n";
        foreach (string command in (string[])["run", "check"])
            Assert.Equal((78, "", line), await Daemon.RunAsync([command, "--config", _folder.Config.Path]));
    }

    [Fact]
    public void A_key_that_the_daemon_cannot_read_is_an_error()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root to read as another user");
        const UnixFileMode All = (UnixFileMode)0b101_101_101;
        foreach (string path in (string[])[_folder.Config.Folder, _folder.Config.Path, _folder.Cert])
            File.SetUnixFileMode(path, All);
        File.SetUnixFileMode(_folder.Key, UnixFileMode.UserRead);
        ConfigResult? result = null;
        Libc.AsNobody(() => result = ConfigLoader.Load(_folder.Config.Path, new ConfigOverrides()));
        Assert.Equal($"{_folder.Config.Path}:7:12: web.tls.key_file: \"{_folder.Key}\" cannot be read: permission denied", Assert.Single(result!.Errors).ToString());
    }

    private static int ShellExit(string command)
    {
        using System.Diagnostics.Process shell = System.Diagnostics.Process.Start("/bin/sh", ["-c", command]);
        shell.WaitForExit();
        return shell.ExitCode;
    }
}
