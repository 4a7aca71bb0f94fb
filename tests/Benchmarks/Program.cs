using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using ThreadExporter.Benchmarks;

if (args is ["allocations", string pid])
{
    Console.WriteLine(await Allocations.OfScrapeAsync(int.Parse(pid, System.Globalization.CultureInfo.InvariantCulture)));
    return;
}

// cgroups PROCESSES [VERSION [limited]]
if (args is ["cgroups", string processes, ..])
{
    int version = args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 1;
    await CgroupCost.RunAsync(int.Parse(processes, System.Globalization.CultureInfo.InvariantCulture), version, limited: args is [_, _, _, "limited"]);
    return;
}

// In this process: a project generated for each benchmark would be built with the house's warnings as errors.
ManualConfig config = ManualConfig.CreateEmpty()
    .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
    .AddDiagnoser(MemoryDiagnoser.Default)
    .AddColumnProvider(DefaultColumnProviders.Instance)
    .AddExporter(MarkdownExporter.GitHub)
    .AddLogger(ConsoleLogger.Default)
    .WithArtifactsPath("dist/bench-micro");
BenchmarkSwitcher.FromAssembly(typeof(Allocations).Assembly).Run(args.Length == 0 ? ["--filter", "*"] : args, config);
