using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace ThreadExporter.Linux;

/// <summary>User names, by the C library and so by every source in nsswitch.conf(5).</summary>
public static unsafe class Users
{
    private const int LargestEntry = 1024 * 1024;

    /// <summary>Whether it can be said without a lookup: a number stands for itself, and no user has an empty name or one with a NUL.</summary>
    public static bool NeedsNoLookup(string nameOrUid, out UserLookupResult answer)
    {
        ArgumentNullException.ThrowIfNull(nameOrUid);
        answer = UserLookupResult.NotFound;
        if (nameOrUid.Length == 0 || nameOrUid.Contains('\0'))
            return true;
        if (nameOrUid.AsSpan().ContainsAnyExceptInRange('0', '9'))
            return false;
        // The largest uid means "none" to setuid(2) and its kin.
        if (uint.TryParse(nameOrUid, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) && number != uint.MaxValue)
            answer = UserLookupResult.Found(number);
        return true;
    }

    /// <summary>The uid of a user, by getpwnam_r(3), which may ask the network and hang for minutes.</summary>
    /// <remarks>
    /// Only "no error and no entry" counts as not found, although getpwnam_r(3) also lists ENOENT, ESRCH, EBADF and EPERM: glibc returns 0
    /// when the last source has answered "not found", and the source's errno when it could not be asked (nss/getXXbyYY_r.c). SSSD
    /// that does not run, or a passwd file that is missing, may be such an ENOENT. Where another source follows that answers, as <c>files sss systemd</c> has it, glibc tells only of that one.
    /// </remarks>
    public static UserLookupResult LookUp(string nameOrUid)
    {
        if (NeedsNoLookup(nameOrUid, out UserLookupResult answer))
            return answer;
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
                    // A source that fails without setting errno must not look like one that has answered.
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
