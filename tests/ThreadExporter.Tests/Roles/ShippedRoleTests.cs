using System.Text;
using ThreadExporter.Roles;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Roles;

/// <summary>The role files of the package: they load, and each pattern matches a real name as the kernel keeps it.</summary>
public class ShippedRoleTests
{
    private const string Ceph = "ceph-osd ceph-mon ceph-mgr ceph-mds";
    private const string Modules = "balancer cephadm crash dashboard devicehealth influx iostat nfs orchestrator pg_autoscaler progress prometheus rbd_support restful snap_schedule status telemetry volumes zabbix";
    private const string Go = "alertmanager consul containerd coredns dockerd etcd kube-apiserver kube-controller-manager kube-proxy kube-scheduler kubelet node_exporter prometheus vault";

    private static readonly RoleCatalog Catalog = RoleCatalog.Load([Repository.File("packaging/roles.d")]);

    /// <summary>Process, name as the program or the kernel gives it, whether it is a kernel thread, role.</summary>
    private static readonly (string Process, string Thread, bool Kernel, string Role)[] Names =
    [
        User("ceph-osd", "tp_osd_tp", "OSD operations"),
        User("ceph-osd", "bstore_kv_sync", "BlueStore key-value commit"),
        User("ceph-osd", "bstore_kv_final", "BlueStore commit completion"),
        User("ceph-osd", "bstore_aio", "BlueStore I/O completion"),
        User("ceph-osd", "bstore_discard", "BlueStore discard"),
        .. Ceph.Split(' ').Select(d => User(d, "msgr-worker-12", "Messenger network I/O")),
        .. Ceph.Split(' ').Select(d => User(d, "ms_dispatch", "Message dispatch")),
        .. Ceph.Split(' ').Select(d => User(d, "ms_local", "Local message delivery")),
        .. Ceph.Split(' ').Select(d => User(d, "safe_timer", "Timer")),
        User("ceph-mon", "fn_monstore", "Monitor store commit"),
        .. Modules.Split(' ').Select(m => User("ceph-mgr", m, "Manager module")),
        User("ceph-osd", "rocksdb:low0", "RocksDB compaction"),
        User("ceph-mon", "rocksdb:bottom", "RocksDB compaction"),
        User("anything", "rocksdb:high0", "RocksDB flush"),
        User("mariadbd", "page_cleaner", "InnoDB page cleaner"),
        User("mysqld", "page_cleaner", "InnoDB page cleaner"),
        User("mysqld", "ib_log_writer", "Redo log writer"),
        User("mysqld", "ib_log_flush", "Redo log flush"),
        User("mysqld", "ib_log_wr_notif", "Redo log notifier"),
        User("mysqld", "ib_log_fl_notif", "Redo log notifier"),
        User("mysqld", "ib_log_checkpt", "Checkpoint"),
        User("mysqld", "ib_log_files_g", "Redo log files"),
        User("mysqld", "ib_pg_flush_co", "Page cleaner coordinator"),
        User("mysqld", "ib_pg_flush-3", "Page cleaner"),
        User("mysqld", "ib_srv_purge", "Purge coordinator"),
        User("mysqld", "ib_srv_wkr-3", "Purge worker"),
        User("mysqld", "ib_io_rd-2", "InnoDB read completion"),
        User("mysqld", "ib_io_wr-4", "InnoDB write completion"),
        User("mysqld", "ib_io_ibuf", "Change buffer read completion"),
        User("mysqld", "ib_src_main", "InnoDB master thread"),
        User("mysqld", "ib_par_rd-1", "InnoDB parallel read"),
        User("mysqld", "ib_ddl-1", "InnoDB index build"),
        User("mysqld", "ib_tx_recov", "Rollback after recovery"),
        User("mysqld", "ib_dict_stats", "Table statistics"),
        User("mysqld", "ib_buf_resize", "Buffer pool resize"),
        User("postgres", "postgres", "PostgreSQL process"),
        User("postmaster", "postmaster", "PostgreSQL process"),
        User("java", "C2 CompilerThread0", "JIT compiler C2"),
        User("java", "C2 Com..hread4", "JIT compiler C2"),
        User("java", "C1 CompilerThread12", "JIT compiler C1"),
        User("java", "C1 Comp..hread0", "JIT compiler C1"),
        User("java", "GC Thread#11", "Garbage collection in parallel"),
        User("java", "G1 Main Marker", "G1 concurrent cycle"),
        User("java", "G1 Conc#0", "G1 concurrent marking"),
        User("java", "G1 Refine#1", "G1 refinement"),
        User("java", "G1 Refine Control", "G1 refinement"),
        User("java", "G1 Ref..ontrol", "G1 refinement"),
        User("java", "VM Thread", "VM operations"),
        User("java", "VM Periodic Task Thread", "VM timer"),
        User("java", "VM Per..Thread", "VM timer"),
        User("thread-exporter", ".NET TP Worker", "Thread pool worker"),
        User("dotnet", ".NET ThreadPool Worker", "Thread pool (.NET 6)"),
        User("dotnet", ".NET TP Gate", "Thread pool control"),
        User("dotnet", ".NET Long Running Task", "Long-running task"),
        User("dotnet", ".NET Tiered Compilation Worker", "Tiered compilation"),
        User("dotnet", ".NET Server GC", "Server garbage collection"),
        User("dotnet", ".NET BGC", "Background garbage collection"),
        User("dotnet", ".NET Finalizer", "Finalizer"),
        User("dotnet", ".NET Sockets", "Socket events"),
        User("dotnet", ".NET Timer", "Timers"),
        User("dotnet", ".NET EventPipe", "Diagnostics server"),
        User("redis-server", "redis-server", "Redis commands"),
        User("redis-server", "io_thd_3", "Redis network I/O"),
        User("valkey-server", "io_thd_1", "Redis network I/O"),
        User("redis-server", "bio_aof", "Redis append-only file"),
        User("redis-server", "bio_lazy_free", "Redis lazy free"),
        User("redis-server", "bio_close_file", "Redis file close"),
        User("nginx", "nginx", "nginx process"),
        User("envoy", "wrk:worker_12", "Envoy worker"),
        .. Go.Split(' ').Select(g => User(g, g, "Go runtime thread")),
        User("qemu-kvm", "iou-wrk-4711", "io_uring worker"),
        User("mysqld", "iou-sqp-4194304", "io_uring submission polling"),
        User("qemu-kvm", "vhost-4711", "vhost worker"),
        Kernel("kworker/0:1H", "Work items"),
        Kernel("kworker/R-rcu_gp", "Work items"),
        Kernel("ksoftirqd/127", "Soft interrupts under load"),
        Kernel("irq/31-nvme0q12", "Interrupt thread"),
        Kernel("migration/1", "CPU stopper"),
        Kernel("rcu_preempt", "RCU grace periods"),
        Kernel("rcu_sched", "RCU grace periods"),
        Kernel("rcuc/3", "RCU callbacks"),
        Kernel("rcuop/3", "RCU callbacks"),
        Kernel("rcuos/3", "RCU callbacks"),
        Kernel("rcuog/0", "RCU callbacks"),
        Kernel("kswapd0", "Page reclaim"),
        Kernel("kcompactd1", "Memory compaction"),
        Kernel("khugepaged", "Transparent huge pages"),
        Kernel("jbd2/nvme0n1p2-8", "Journal commit (ext4)"),
        Kernel("xfsaild/dm-0", "XFS metadata writeback"),
        Kernel("btrfs-transaction", "Btrfs commit"),
        Kernel("md127_raid5", "Software RAID"),
        Kernel("napi/eth0-8193", "Network polling thread"),
    ];

    [Fact]
    public void Every_file_loads()
    {
        Assert.Empty(Catalog.Errors.Select(e => e.ToString()));
        Assert.True(Catalog.Roles.Length >= 70);
        Assert.All(Catalog.Roles, r => Assert.StartsWith("https://", r.Source, StringComparison.Ordinal));
        Assert.All(Catalog.Roles, r => Assert.EndsWith(".", r.Text, StringComparison.Ordinal));
    }

    [Fact]
    public void A_name_has_its_role_as_the_kernel_cuts_it()
    {
        foreach ((string process, string thread, bool kernel, string role) in Names)
        {
            Assert.Equal(role, Catalog.Find(Cut(process), Cut(thread), kernel)?.Name);
            // Newer kernels show the longer name of a kernel thread.
            if (kernel)
                Assert.Equal(role, Catalog.Find(process, thread, kernel)?.Name);
        }
    }

    [Fact]
    public void Every_pattern_matches_such_a_name()
    {
        List<string> missing = [];
        foreach (Role role in Catalog.Roles)
        {
            foreach (string pattern in role.Thread)
            {
                Role alone = new(role.Process, role.Kernel, [pattern]) { Name = role.Name, Text = role.Text };
                if (!Names.Any(n => n.Role == role.Name && alone.Matches(Cut(n.Process), Cut(n.Thread), n.Kernel)))
                    missing.Add($"no name for the thread {pattern} of {role.Name}");
            }
            foreach (string pattern in role.Process)
            {
                Role alone = new([pattern], role.Kernel, role.Thread) { Name = role.Name, Text = role.Text };
                if (!Names.Any(n => n.Role == role.Name && alone.Matches(Cut(n.Process), Cut(n.Thread), n.Kernel)))
                    missing.Add($"no name for the process {pattern} of {role.Name}");
            }
        }
        Assert.Empty(missing);
    }

    [Fact]
    public void The_kernel_cuts_the_names_as_these_tests_do()
    {
        List<(string Name, string Kept)> kept = [];
        Thread thread = new(() =>
        {
            foreach ((_, string name, bool kernel, _) in Names.Where(n => !n.Kernel))
            {
                File.WriteAllText("/proc/thread-self/comm", name);
                kept.Add((name, File.ReadAllText("/proc/thread-self/comm").TrimEnd('\n')));
            }
        });
        thread.Start();
        thread.Join();
        Assert.NotEmpty(kept);
        Assert.All(kept, k => Assert.Equal(Cut(k.Name), k.Kept));
    }

    [Fact]
    public void A_program_with_the_name_of_a_kernel_thread_has_no_role() =>
        Assert.All(Names.Where(n => n.Kernel), n => Assert.Null(Catalog.Find(n.Process, n.Thread, isKernelThread: false)));

    [Fact]
    public void They_are_beside_the_program_after_a_build() =>
        Assert.Equal(
            Directory.GetFiles(Repository.File("packaging/roles.d"), "*.toml").Select(Path.GetFileName).Order(StringComparer.Ordinal),
            Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "roles.d")).Select(Path.GetFileName).Order(StringComparer.Ordinal));

    private static (string Process, string Thread, bool Kernel, string Role) User(string process, string thread, string role) => (process, thread, false, role);

    private static (string Process, string Thread, bool Kernel, string Role) Kernel(string name, string role) => (name, name, true, role);

    private static string Cut(string name) => Encoding.ASCII.GetString(Encoding.ASCII.GetBytes(name).AsSpan(0, Math.Min(15, name.Length)));
}
