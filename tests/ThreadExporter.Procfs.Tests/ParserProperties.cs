using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using ThreadExporter.Linux;

namespace ThreadExporter.Procfs.Tests;

public partial class ParserProperties
{
    // Half of the bytes are typical for these files, so that random text passes the first check.
    private static readonly Gen<byte> AnyByte = Gen.OneOf(
        Gen.Choose(0, 255).Select(n => (byte)n),
        Gen.Elements("() \n\t:/-0123456789SUid"u8.ToArray()));

    private static readonly Gen<byte[]> AnyBytes = AnyByte.ArrayOf();

    /// <summary>A name as a process may have: up to 64 bytes (kworkers), anything but NUL.</summary>
    private static readonly Gen<byte[]> AnyComm = AnyByte.ArrayOf().Select(bytes => bytes.Where(b => b != 0).Take(64).ToArray());

    private static readonly Gen<ulong> AnyULong = Gen.OneOf(
        ArbMap.Default.GeneratorFor<ulong>(), Gen.Choose(0, 1000).Select(n => (ulong)n), Gen.Elements(ulong.MaxValue, 0ul));

    /// <summary>The parsed value of a count: -1 (unknown) when it does not fit in a long.</summary>
    private static long Known(ulong count) => count <= long.MaxValue ? (long)count : -1;

    [Fact]
    public void Random_bytes_never_throw() => Check(AnyBytes, ParseAll);

    [Fact]
    public void A_good_file_with_random_damage_never_throws()
    {
        byte[][] files = Directory.EnumerateFiles(Fixture.PathOf(""), "*", SearchOption.AllDirectories).Select(File.ReadAllBytes).ToArray();
        Assert.NotEmpty(files);
        Gen<byte[]> damaged =
            from file in Gen.Elements(files)
            from at in Gen.Choose(0, file.Length)
            from removed in Gen.Choose(0, Math.Min(8, file.Length - at))
            from inserted in AnyBytes
            select (byte[])[.. file.AsSpan(0, at), .. inserted, .. file.AsSpan(at + removed)];
        Check(damaged, ParseAll);
    }

    [Fact]
    public void Every_stat_line_parses_back_to_its_values()
    {
        Gen<(byte[] comm, char state, ulong[] numbers, int pid, int negative)> lines = from comm in AnyComm
                                                                                       from state in Gen.Elements("RSDTtZXI".ToCharArray())
                                                                                       from numbers in AnyULong.ArrayOf(49)
                                                                                       from pid in Gen.Choose(0, int.MaxValue)
                                                                                       from negative in Gen.Choose(int.MinValue, -1)
                                                                                       select (comm, state, numbers, pid, negative);
        Check(lines, line =>
        {
            (byte[] comm, char state, ulong[] numbers, int pid, int negative) = line;
            // Field n, from 4, is numbers[n - 4].
            string[] fields = [.. numbers.Select(n => n.ToString(CultureInfo.InvariantCulture))];
            int Small(int field)
            {
                int value = (int)(numbers[field - 4] & int.MaxValue);
                fields[field - 4] = value.ToString(CultureInfo.InvariantCulture);
                return value;
            }
            int ppid = Small(4), threads = Small(20), processor = Small(39);
            fields[9 - 4] = (numbers[9 - 4] &= uint.MaxValue).ToString(CultureInfo.InvariantCulture);
            fields[22 - 4] = (numbers[22 - 4] %= Clocks.LongestTicks + 1).ToString(CultureInfo.InvariantCulture);
            foreach (int field in (int[])[7, 8, 18, 19])
                fields[field - 4] = negative.ToString(CultureInfo.InvariantCulture);
            byte[] text = [.. Encoding.ASCII.GetBytes($"{pid} ("), .. comm, .. Encoding.ASCII.GetBytes($") {state} {string.Join(' ', fields)}\n")];

            return ProcStat.TryParse(text, out ProcStat stat)
                && stat.Pid == pid && stat.Comm.SequenceEqual(comm) && stat.State == state && stat.Ppid == ppid
                && stat.Flags == numbers[9 - 4] && stat.MinorFaults == numbers[10 - 4] && stat.MajorFaults == numbers[12 - 4]
                && stat.UserTicks == numbers[14 - 4] && stat.KernelTicks == numbers[15 - 4]
                && stat.NumThreads == threads && stat.StartTicks == numbers[22 - 4] && stat.Processor == processor;
        });
    }

    [Fact]
    public void Every_schedstat_parses_back_to_its_values() =>
        Check(AnyULong.Three(), counts =>
            ProcSchedstat.TryParse(Encoding.ASCII.GetBytes($"{counts.Item1} {counts.Item2} {counts.Item3}\n"), out ProcSchedstat parsed)
            && parsed == new ProcSchedstat(Known(counts.Item1), Known(counts.Item2), Known(counts.Item3)));

    [Fact]
    public void Every_status_parses_back_to_its_values()
    {
        Gen<(uint uid, List<int> nspids, ulong, ulong)> values = from uid in AnyULong.Select(n => (uint)n)
                                                                 from nspids in Gen.Choose(0, int.MaxValue).ListOf()
                                                                 from switches in AnyULong.Two()
                                                                 select (uid, nspids, switches.Item1, switches.Item2);
        Check(values, v =>
        {
            (uint uid, List<int> nspids, ulong voluntary, ulong involuntary) = v;
            string nspidLine = nspids.Count == 0 ? "" : "NSpid:" + string.Concat(nspids.Select(n => $"\t{n}")) + "\n";
            string text = $"Name:\tx y:z\nUid:\t1\t{uid}\t2\t3\n{nspidLine}voluntary_ctxt_switches:\t{voluntary}\nnonvoluntary_ctxt_switches:\t{involuntary}\n";
            return ProcStatus.TryParse(Encoding.ASCII.GetBytes(text), out ProcStatus parsed)
                && parsed == new ProcStatus(uid, nspids.Count, nspids.FirstOrDefault(), Known(voluntary), Known(involuntary));
        });
    }

    [Fact]
    public void Every_io_parses_back_to_its_values() =>
        Check(AnyULong.Three(), counts =>
            ProcIo.TryParse(Encoding.ASCII.GetBytes($"syscw: {counts.Item3}\nread_bytes: {counts.Item1}\nwrite_bytes: {counts.Item2}\ncancelled_write_bytes: {counts.Item3}\n"), out ProcIo parsed)
            && parsed == new ProcIo(Known(counts.Item1), Known(counts.Item2)));

    [Fact]
    public void Every_cgroup_parses_back_to_its_values()
    {
        Gen<(int hierarchy, string controllers, byte[] path)> line = from hierarchy in Gen.Choose(0, int.MaxValue)
                                                                     from controllers in Gen.Elements("", "cpu,cpuacct", "name=systemd")
                                                                     from path in AnyBytes
                                                                     select (hierarchy, controllers, path: path.Where(b => b is not (0 or (byte)'\n')).ToArray());
        Check(line.ListOf(), lines =>
        {
            byte[] text = [.. lines.SelectMany(l => (byte[])[.. Encoding.ASCII.GetBytes($"{l.hierarchy}:{l.controllers}:/"), .. l.path, (byte)'\n'])];
            List<CgroupEntry> entries = new();
            return ProcCgroup.TryParse(text, entries)
                && entries.SequenceEqual(lines.Select(l => new CgroupEntry(l.hierarchy, l.controllers, "/" + ProcText.Decode(l.path))));
        });
    }

    [Fact]
    public void Every_argument_vector_comes_back()
    {
        Gen<byte[]> argument = AnyBytes.Select(bytes => bytes.Where(b => b != 0).ToArray());
        // Trailing spaces are padding.
        Gen<byte[]> last = argument.Where(bytes => bytes.Length > 0 && bytes[^1] != ' ');
        Check(argument.ListOf().Zip(last), vector =>
        {
            List<byte[]> arguments = [.. vector.Item1, vector.Item2];
            byte[] text = [.. arguments.SelectMany(a => (byte[])[.. a, 0])];
            List<string> expected = [.. arguments.Select(a => ProcText.Decode(a))];
            return ProcCmdline.Split(text).SequenceEqual(expected) && ProcCmdline.Join(text) == string.Join(' ', expected);
        });
    }

    [Fact]
    public void Decoded_text_loses_no_byte()
    {
        // Without a literal backslash the text is a unique representation of the bytes.
        Check(AnyBytes.Select(bytes => bytes.Where(b => b != '\\').ToArray()), bytes =>
        {
            string text = ProcText.Decode(bytes);
            byte[] back = [.. Escape().Split(text).SelectMany((part, i) =>
                i % 2 == 0 ? Encoding.UTF8.GetBytes(part) : Convert.FromHexString(part))];
            return back.AsSpan().SequenceEqual(bytes);
        });
    }

    [Fact]
    public void Every_string_decodes_to_itself() =>
        Check(ArbMap.Default.GeneratorFor<NonNull<string>>().Select(s => Encoding.UTF8.GetBytes(s.Get)), bytes =>
            ProcText.Decode(bytes) == Encoding.UTF8.GetString(bytes));

    [GeneratedRegex(@"\\x([0-9a-f]{2})")]
    private static partial Regex Escape();

    private static bool ParseAll(byte[] text)
    {
        _ = ProcStat.TryParse(text, out _);
        _ = ProcSchedstat.TryParse(text, out _);
        _ = ProcStatus.TryParse(text, out _);
        _ = ProcIo.TryParse(text, out _);
        _ = ProcCgroup.TryParse(text, []);
        _ = CgroupCpuStat.TryParse(text, out _);
        _ = CgroupCpuMax.TryParse(text, out _);
        _ = CgroupPressure.TryParse(text, out _);
        _ = CgroupNumber.TryParse(text, out _);
        _ = ProcCmdline.Join(text);
        _ = ProcCmdline.Split(text);
        _ = ProcText.Decode(text);
        return true;
    }

    private static void Check<T>(Gen<T> gen, Func<T, bool> holds) =>
        Prop.ForAll(Arb.From(gen), holds).Check(Config.QuickThrowOnFailure.WithMaxTest(500).WithQuietOnSuccess(true));
}
