using System.Globalization;
using System.Text;

namespace ThreadExporter.Procfs;

/// <summary>User names, by the C library and so by every source in nsswitch.conf(5).</summary>
public static unsafe class Users
{
    private const int LargestEntry = 1024 * 1024;

    /// <summary>The uid of a user: a number stands for itself, anything else is looked up with getpwnam_r(3), which may ask the network.</summary>
    /// <returns>False when there is no such user, or it could not be found out.</returns>
    public static bool TryGetUid(string nameOrUid, out uint uid)
    {
        ArgumentNullException.ThrowIfNull(nameOrUid);
        uid = 0;
        if (nameOrUid.Length == 0 || nameOrUid.Contains('\0'))
            return false;
        if (!nameOrUid.AsSpan().ContainsAnyExceptInRange('0', '9'))
        {
            // The largest uid means "none" to setuid(2) and its kin.
            bool valid = uint.TryParse(nameOrUid, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) && number != uint.MaxValue;
            uid = valid ? number : 0;
            return valid;
        }

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
                    error = Native.getpwnam_r(namePointer, &entry, bufferPointer, (nuint)size, &found);
                while (error == Native.EINTR);
            }
            if (error != Native.ERANGE)
            {
                uid = error == 0 && found != null ? entry.Uid : 0;
                return error == 0 && found != null;
            }
        }
        return false;
    }
}
