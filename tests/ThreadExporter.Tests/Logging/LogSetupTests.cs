using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ThreadExporter.Configuration;
using ThreadExporter.Logging;

namespace ThreadExporter.Tests.Logging;

public sealed class LogSetupTests : IDisposable
{
    private readonly StringWriter _output = new();

    [Fact]
    public void Records_go_to_standard_output_when_stderr_is_not_the_journal()
    {
        using LogSetup log = Create(new LogConfig());
        log.Factory.CreateLogger("Reload").LogWarning("{ConfigFile}:{Line}: bad", "/etc/x.toml", 3);
        Assert.Matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z warn  Reload /etc/x\\.toml:3: bad\n$", _output.ToString());
    }

    [Fact]
    public void Times_are_current_and_in_UTC()
    {
        using LogSetup log = Create(new LogConfig());
        DateTime before = DateTime.UtcNow;
        log.Factory.CreateLogger("X").LogWarning("x");
        DateTime shown = DateTime.Parse(_output.ToString()[..24], null, System.Globalization.DateTimeStyles.AdjustToUniversal);
        Assert.InRange(shown, before.AddMilliseconds(-1), DateTime.UtcNow);
    }

    [Fact]
    public void Json_is_one_object_per_line()
    {
        using LogSetup log = Create(new LogConfig { Format = LogFormat.Json });
        log.Factory.CreateLogger("Reload").LogWarning("{ConfigFile}:{Line}: bad", "/etc/x.toml", 3);
        log.Factory.CreateLogger("Reload").LogWarning("two\nlines");
        string[] lines = _output.ToString().Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.EndsWith(
            "\"level\":\"warn\",\"logger\":\"Reload\",\"message\":\"/etc/x.toml:3: bad\",\"properties\":{\"ConfigFile\":\"/etc/x.toml\",\"Line\":3}}",
            lines[0], StringComparison.Ordinal);
        Assert.EndsWith("\"message\":\"two\\nlines\"}", lines[1], StringComparison.Ordinal);
        Assert.Empty(lines[2]);
    }

    [Theory]
    [InlineData(LogLevel.Trace, "tdiwec")]
    [InlineData(LogLevel.Debug, "diwec")]
    [InlineData(LogLevel.Information, "iwec")]
    [InlineData(LogLevel.Warning, "wec")]
    [InlineData(LogLevel.Error, "ec")]
    [InlineData(LogLevel.Critical, "c")]
    [InlineData(LogLevel.None, "")]
    public void The_level_applies_and_can_change_at_runtime(LogLevel level, string passed)
    {
        using LogSetup started = Create(new LogConfig { Level = level });
        Assert.Equal(passed, Passed(started.Factory.CreateLogger("ThreadExporter.X")));

        using LogSetup changed = Create(new LogConfig { Level = LogLevel.Warning });
        ILogger logger = changed.Factory.CreateLogger("ThreadExporter.X");
        Assert.Equal("wec", Passed(logger));
        changed.SetLevel(level);
        Assert.Equal(passed, Passed(logger));
        Assert.Equal(level <= LogLevel.Information, logger.IsEnabled(LogLevel.Information));
    }

    [Theory]
    [InlineData(LogLevel.Trace, "tdiwec")]
    [InlineData(LogLevel.Debug, "diwec")]
    [InlineData(LogLevel.Information, "wec")]
    [InlineData(LogLevel.Warning, "wec")]
    [InlineData(LogLevel.Error, "ec")]
    [InlineData(LogLevel.None, "")]
    public void The_framework_is_logged_from_warning_on_unless_the_level_is_debug(LogLevel level, string passed)
    {
        using LogSetup log = Create(new LogConfig());
        ILogger logger = log.Factory.CreateLogger("Microsoft.AspNetCore.Hosting.Diagnostics");
        Assert.Equal("wec", Passed(logger));
        log.SetLevel(level);
        Assert.Equal(passed, Passed(logger));
        log.SetLevel(LogLevel.Information);
        Assert.Equal("wec", Passed(logger));
    }

    [Fact]
    public void A_host_logs_only_here_whatever_its_own_filters_are()
    {
        using LogSetup log = Create(new LogConfig { Level = LogLevel.Debug });
        ServiceCollection services = new();
        services.AddLogging(builder =>
        {
            builder.AddSimpleConsole();
            builder.SetMinimumLevel(LogLevel.Error);
            log.AddTo(builder);
        });
        using (ServiceProvider provider = services.BuildServiceProvider())
        {
            Assert.Single(provider.GetServices<ILoggerProvider>());
            provider.GetRequiredService<ILogger<LogSetupTests>>().LogDebug("from a host");
            Assert.EndsWith(" debug ThreadExporter.Tests.Logging.LogSetupTests from a host\n", _output.ToString(), StringComparison.Ordinal);
        }
        // The host is disposed, the log is not.
        log.Factory.CreateLogger("Program").LogInformation("after the host");
        Assert.EndsWith(" info  Program after the host\n", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void After_dispose_records_are_lost_without_an_error()
    {
        LogSetup log = Create(new LogConfig());
        ILogger logger = log.Factory.CreateLogger("X");
        log.Dispose();
        logger.LogError("too late");
        Assert.Empty(_output.ToString());
    }

    [Fact]
    public void A_reader_that_went_away_is_no_error()
    {
        using LogSetup log = LogSetup.Create(new LogConfig(), stderrIsJournal: false, output: new BrokenWriter());
        log.Factory.CreateLogger("X").LogError("nobody reads");
    }

    [Fact]
    public void Standard_output_is_the_default()
    {
        using LogSetup log = LogSetup.Create(new LogConfig { Level = LogLevel.None }, stderrIsJournal: false);
        Assert.True(log.FileWritable);
    }

    public void Dispose() => _output.Dispose();

    private LogSetup Create(LogConfig config) => LogSetup.Create(config, stderrIsJournal: false, output: _output);

    private string Passed(ILogger logger)
    {
        _output.GetStringBuilder().Clear();
        logger.LogTrace("t");
        logger.LogDebug("d");
        logger.LogInformation("i");
        logger.LogWarning("w");
        logger.LogError("e");
        logger.LogCritical("c");
        return string.Concat(_output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line[^1]));
    }

    private sealed class BrokenWriter : StringWriter
    {
        public override void Write(string? value) => throw new IOException("Broken pipe");
    }
}
