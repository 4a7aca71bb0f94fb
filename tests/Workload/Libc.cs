using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

/// <summary>System calls of the workload that .NET does not offer. Each failure is an exception that names the call.</summary>
internal static unsafe partial class Libc
{
    /// <summary>The name of the calling thread, cut by the kernel at 15 bytes: prctl(2).</summary>
    public static void SetOwnName(byte[] name)
    {
        const int SetName = 15;
        byte[] terminated = [.. name, 0];
        fixed (byte* start = terminated)
            Check(prctl(SetName, start), nameof(prctl));
    }

    /// <summary>Binds a thread of this process (0: the calling one) to one CPU below 1024.</summary>
    public static void Pin(int tid, int cpu)
    {
        ulong* mask = stackalloc ulong[16];
        new Span<ulong>(mask, 16).Clear();
        mask[cpu / 64] = 1UL << (cpu % 64);
        Check(sched_setaffinity(tid, 16 * sizeof(ulong), mask), nameof(sched_setaffinity));
    }

    /// <summary>Maps pages, writes to each, which is one page fault each, and unmaps them.</summary>
    public static void Touch(int pages)
    {
        const int ReadWrite = 3, PrivateAnonymous = 0x22, NoHugePage = 15;
        nuint size = (nuint)(pages * Environment.SystemPageSize);
        byte* memory = mmap(null, size, ReadWrite, PrivateAnonymous, -1, 0);
        Check(memory == (byte*)-1 ? -1 : 0, nameof(mmap));
        // EINVAL from a kernel that has no huge pages.
        _ = madvise(memory, size, NoHugePage);
        for (int page = 0; page < pages; page++)
            memory[page * Environment.SystemPageSize] = 1;
        Check(munmap(memory, size), nameof(munmap));
    }

    /// <summary>The next read of the file comes from storage.</summary>
    public static void DropCache(SafeFileHandle file)
    {
        const int DontNeed = 4;
        Check(posix_fadvise(file, 0, 0, DontNeed) == 0 ? 0 : -1, nameof(posix_fadvise));
    }

    /// <summary>Makes the calling thread SCHED_FIFO of the lowest priority. False: not permitted.</summary>
    public static bool TryBecomeRealTime()
    {
        const int Fifo = 1;
        int priority = 1;
        return sched_setscheduler(0, Fifo, &priority) == 0;
    }

    /// <summary>Ends the calling thread alone, as pthread_exit(3) ends it in the kernel. The C library's would unwind the runtime's frames.</summary>
    public static void ExitThread()
    {
        nint exit = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 60,
            Architecture.Arm64 => 93,
            var other => throw new PlatformNotSupportedException($"the number of exit on {other}"),
        };
        syscall(exit, 0);
    }

    /// <summary>execv(3) by the calling thread: the kernel ends all the others and gives this one the leader's tid.</summary>
    public static void Execute(string[] arguments)
    {
        byte** list = (byte**)NativeMemory.AllocZeroed((nuint)arguments.Length + 1, (nuint)sizeof(byte*));
        for (int i = 0; i < arguments.Length; i++)
        {
            byte[] text = Encoding.UTF8.GetBytes(arguments[i] + '\0');
            list[i] = (byte*)NativeMemory.Alloc((nuint)text.Length);
            text.CopyTo(new Span<byte>(list[i], text.Length));
        }
        Check(execv(list[0], list), nameof(execv));
    }

    /// <summary>A zeroed sem_t, which is one of the value 0, in memory that does not move.</summary>
    public static nint NewSemaphore() => (nint)NativeMemory.AllocZeroed(64);

    public static void Post(nint semaphore) => Check(sem_post(semaphore), nameof(sem_post));

    /// <summary>
    /// vfork(2): the calling thread waits, in state D, until its child ends. The child shares the memory, runs only
    /// sem_wait(3) on its own stack and ends when the semaphore is posted.
    /// </summary>
    public static void ForkAndWaitFor(nint semaphore)
    {
        const int SharedMemory = 0x100, ParentWaits = 0x4000, AllChildren = 0x40000000;
        const int StackSize = 64 * 1024;
        byte* stack = (byte*)NativeMemory.AlignedAlloc(StackSize, 16);
        nint wait = NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "sem_wait");
        int child = clone(wait, stack + StackSize, SharedMemory | ParentWaits, semaphore);
        Check(child, nameof(clone));
        Check(waitpid(child, null, AllChildren), nameof(waitpid));
        NativeMemory.AlignedFree(stack);
    }

    private static void Check(int result, string call)
    {
        if (result < 0)
            throw new InvalidOperationException($"{call}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, byte* name);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int sched_setaffinity(int pid, nuint size, ulong* mask);

    [LibraryImport("libc", SetLastError = true)]
    private static partial byte* mmap(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(void* address, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int madvise(void* address, nuint length, int advice);

    [LibraryImport("libc")]
    private static partial int posix_fadvise(SafeFileHandle file, long offset, long length, int advice);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int sched_setscheduler(int pid, int policy, int* priority);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int execv(byte* path, byte** arguments);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int sem_post(nint semaphore);

    // Variadic in C; what follows is read only with flags that are not given here.
    [LibraryImport("libc", SetLastError = true)]
    private static partial int clone(nint function, byte* stackTop, int flags, nint argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitpid(int pid, int* status, int options);
}
