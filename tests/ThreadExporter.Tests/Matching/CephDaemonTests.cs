using ThreadExporter.Matching;

namespace ThreadExporter.Tests.Matching;

public sealed class CephDaemonTests
{
    /// <summary>Arguments are separated by <c>|</c>, because some contain spaces.</summary>
    [Theory]
    // cephadm
    [InlineData("ceph-osd", "/usr/bin/ceph-osd|-n|osd.0|-f|--setuser|ceph|--setgroup|ceph|--default-log-to-file=false", "osd.0")]
    [InlineData("ceph-mon", "/usr/bin/ceph-mon|-n|mon.host1|-f|--default-mon-cluster-log-to-stderr=true", "mon.host1")]
    [InlineData("ceph-mgr", "/usr/bin/ceph-mgr|-n|mgr.host1.abcdef|-f", "mgr.host1.abcdef")]
    [InlineData("ceph-mds", "/usr/bin/ceph-mds|-n|mds.cephfs.host1.xyzzyx|-f", "mds.cephfs.host1.xyzzyx")]
    [InlineData("radosgw", "/usr/bin/radosgw|-n|client.rgw.foo.host.abc|-f|--setuser|ceph", "client.rgw.foo.host.abc")]
    [InlineData("rbd-mirror", "/usr/bin/rbd-mirror|-n|client.rbd-mirror.host1.abc|-f", "client.rbd-mirror.host1.abc")]
    [InlineData("cephfs-mirror", "/usr/bin/cephfs-mirror|-n|client.cephfs-mirror.host1.abc|-f", "client.cephfs-mirror.host1.abc")]
    [InlineData("ceph-osd", "ceph-osd|--name|osd.12", "osd.12")]
    [InlineData("ceph-osd", "ceph-osd|--name=osd.12", "osd.12")]
    [InlineData("ceph-osd", "ceph-osd|-n=osd.12", "osd.12")]
    // Rook
    [InlineData("ceph-osd", "ceph-osd|--foreground|--id|0|--fsid|5f1e|--setuser|ceph", "osd.0")]
    [InlineData("ceph-mon", "ceph-mon|--fsid=5f1e|--keyring=/etc/ceph/keyring-store/keyring|--id=a|--setuser=ceph|--foreground", "mon.a")]
    [InlineData("ceph-mgr", "ceph-mgr|--fsid=5f1e|--id=a|--foreground", "mgr.a")]
    [InlineData("ceph-mds", "ceph-mds|--id=myfs-a|--foreground", "mds.myfs-a")]
    [InlineData("radosgw", "radosgw|--id=rgw.my.store.a|--host=$(POD_NAME)", "client.rgw.my.store.a")]
    [InlineData("rbd-mirror", "rbd-mirror|--id=a|--foreground|--name=client.rbd-mirror.a", "client.rbd-mirror.a")]
    [InlineData("rbd-mirror", "rbd-mirror|--id|rbd-mirror.a", "client.rbd-mirror.a")]
    // classic
    [InlineData("ceph-osd", "/usr/bin/ceph-osd|-f|--cluster|ceph|--id|0|--setuser|ceph|--setgroup|ceph", "osd.0")]
    [InlineData("ceph-osd", "ceph-osd|-i|0|-c|/etc/ceph/ceph.conf", "osd.0")]
    [InlineData("ceph-osd", "ceph-osd|-i=0", "osd.0")]
    [InlineData("ceph-mon", "/usr/bin/ceph-mon|-f|--cluster|ceph|--id|node 1|--setuser|ceph", "mon.node 1")]
    [InlineData("radosgw", "/usr/bin/radosgw|-f|--cluster|ceph|--name|client.rgw.foo|--setuser|ceph", "client.rgw.foo")]
    [InlineData("radosgw", "radosgw|--id|rgw.foo", "client.rgw.foo")]
    [InlineData("radosgw", "radosgw|--user|rgw.foo", "client.rgw.foo")]
    [InlineData("crimson-osd", "crimson-osd|-i|3", "osd.3")]
    // As Ceph parses them: the last wins, an id keeps the type, values are not options, "--" ends the options.
    [InlineData("ceph-osd", "ceph-osd|--id|1|--id|2", "osd.2")]
    [InlineData("ceph-osd", "ceph-osd|-n|osd.1|--id|2", "osd.2")]
    [InlineData("radosgw", "radosgw|-n|mgr.x|--id|2", "mgr.2")]
    [InlineData("ceph-osd", "ceph-osd|--conf|--id|-i|5", "osd.5")]
    [InlineData("ceph-osd", "ceph-osd|-i|5|--|--id|6", "osd.5")]
    // Not options of Ceph: -nosd.0 and --identity.
    [InlineData("ceph-osd", "ceph-osd|-nosd.0", null)]
    [InlineData("ceph-osd", "ceph-osd|--identity|0", null)]
    [InlineData("ceph-osd", "ceph-osd|-n|osd", null)]
    [InlineData("ceph-osd", "ceph-osd|--id=", null)]
    [InlineData("ceph-osd", "ceph-osd|--id", null)]
    [InlineData("ceph-osd", "ceph-osd", null)]
    [InlineData("ceph-osd", "", null)]
    // The first argument is the name of the program, whatever it looks like.
    [InlineData("ceph-osd", "--id=9|-f", null)]
    public void Name(string comm, string arguments, string? expected)
    {
        string? type = CephDaemon.EntityType(comm);
        Assert.NotNull(type);
        Assert.Equal(expected, CephDaemon.Name(type, arguments.Split('|')));
    }

    [Theory]
    [InlineData("conmon")]
    [InlineData("ceph")]
    [InlineData("ceph-osd2")]
    [InlineData("rook")]
    public void Others_are_not_Ceph_daemons(string comm) => Assert.Null(CephDaemon.EntityType(comm));
}
