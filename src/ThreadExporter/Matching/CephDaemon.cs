namespace ThreadExporter.Matching;

/// <summary>The name of a Ceph daemon in its cluster (<c>osd.0</c>, <c>mon.a</c>, <c>client.rgw.foo</c>), from its command line.</summary>
/// <remarks>
/// Parsed as Ceph does (src/common/ceph_argparse.cc, ceph_argparse_early_args): <c>-i</c>, <c>--id</c>, <c>--user</c> set the id and keep the type,
/// <c>-n</c>, <c>--name</c> set both, the last one wins, <c>--</c> ends the options, a value is the next argument or follows <c>=</c>.
/// cephadm passes <c>-n osd.0</c>; Rook <c>--id=a</c> and, for some, <c>--name=client.rbd-mirror.a</c> after it.
/// </remarks>
internal static class CephDaemon
{
    /// <summary>The default entity type of a daemon; null when comm is not that of a Ceph daemon.</summary>
    public static string? EntityType(string comm) => comm switch
    {
        "ceph-osd" or "crimson-osd" => "osd",
        "ceph-mon" => "mon",
        "ceph-mgr" => "mgr",
        "ceph-mds" => "mds",
        "radosgw" or "rbd-mirror" or "cephfs-mirror" => "client",
        _ => null,
    };

    /// <param name="type">From <see cref="EntityType"/>.</param>
    /// <param name="arguments">The arguments; the first one is the name of the program.</param>
    /// <returns><c>TYPE.ID</c>; null when the command line gives no id.</returns>
    public static string? Name(string type, IReadOnlyList<string> arguments)
    {
        string? id = null;
        for (int i = 1; i < arguments.Count && arguments[i] != "--"; i++)
        {
            if (TryTakeValue(arguments, ref i, "--id", out string? value)
                || TryTakeValue(arguments, ref i, "-i", out value)
                || TryTakeValue(arguments, ref i, "--user", out value))
            {
                id = value;
            }
            else if (TryTakeValue(arguments, ref i, "--name", out value) || TryTakeValue(arguments, ref i, "-n", out value))
            {
                if (value.IndexOf('.') is var dot and > 0)
                    (type, id) = (value[..dot], value[(dot + 1)..]);
            }
            else
            {
                // These options take any value, even one that looks like an option.
                _ = TryTakeValue(arguments, ref i, "-c", out _)
                    || TryTakeValue(arguments, ref i, "--conf", out _)
                    || TryTakeValue(arguments, ref i, "--cluster", out _);
            }
        }
        return string.IsNullOrEmpty(id) ? null : $"{type}.{id}";
    }

    private static bool TryTakeValue(IReadOnlyList<string> arguments, ref int index, string option, out string value)
    {
        string argument = arguments[index];
        value = "";
        if (!argument.StartsWith(option, StringComparison.Ordinal))
            return false;
        if (argument.Length > option.Length)
        {
            if (argument[option.Length] != '=')
                return false;
            value = argument[(option.Length + 1)..];
            return true;
        }
        if (index + 1 >= arguments.Count)
            return false;
        value = arguments[++index];
        return true;
    }
}
