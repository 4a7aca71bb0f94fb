using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace ThreadExporter.Linux;

/// <summary>User lookups by the C library, which uses every source in nsswitch.conf(5).</summary>
public static unsafe class Users
{
    private const int LargestEntry = 1024 * 1024;

    /// <summary>Whether no lookup is needed: a number is a uid, and no user has an empty name or a name with a NUL.</summary>
    public static bool NeedsNoLookup(string nameOrUid, out UserLookupResult result)
    {
        ArgumentNullException.ThrowIfNull(nameOrUid);
        result = UserLookupResult.NotFound;
        if (nameOrUid.Length == 0 || nameOrUid.Contains('\0'))
            return true;
        if (nameOrUid.AsSpan().ContainsAnyExceptInRange('0', '9'))
            return false;
        // setuid(2) and similar calls use the largest uid for "none".
        if (uint.TryParse(nameOrUid, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) && number != uint.MaxValue)
            result = UserLookupResult.Found(number);
        return true;
    }

    /// <summary>Looks up the uid of a user with getpwnam_r(3), which may use the network and hang for minutes.</summary>
    /// <remarks>
    /// Only "no error and no entry" counts as not found, although getpwnam_r(3) also lists ENOENT, ESRCH, EBADF and EPERM: glibc returns 0
    /// when the last source returned "not found", and the source's errno when the source failed (nss/getXXbyYY_r.c). SSSD that is not running, or a
    /// missing passwd file, may give such an ENOENT. If another source follows and responds, as in <c>files sss systemd</c>, glibc reports only that
    /// one.
    /// </remarks>
    public static UserLookupResult LookUp(string nameOrUid)
    {
        if (NeedsNoLookup(nameOrUid, out UserLookupResult result))
            return result;
        byte[] name = Encoding.UTF8.GetBytes(nameOrUid + '\0');
        for (int size = 1024; size <= LargestEntry; size *= 4)
        {
            byte[] buffer = new byte[size];
            Native.Passwd entry;
            Native.Passwd* found;
            int error;
            fixed (byte* namePointer = name, bufferPointer = buffer)
            {
                do
                {
                    // A source that fails without setting errno must not look like one that responded.
                    Marshal.SetLastSystemError(Native.EIO);
                    error = Native.getpwnam_r(namePointer, &entry, bufferPointer, (nuint)size, &found);
                }
                while (error == Native.EINTR);
            }
            if (error == 0)
                return found == null ? UserLookupResult.NotFound : UserLookupResult.Found(entry.Uid);
            if (error != Native.ERANGE)
                return UserLookupResult.NoResponse(Marshal.GetPInvokeErrorMessage(error));
        }
        return UserLookupResult.NoResponse(Marshal.GetPInvokeErrorMessage(Native.ERANGE));
    }
}
