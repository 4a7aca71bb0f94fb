using System.Collections.Immutable;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Matching;

namespace ThreadExporter.Roles;

/// <summary>The roles of all files. Immutable: a reload loads another one.</summary>
/// <param name="Roles">In the order in which they are tried.</param>
/// <param name="Errors">Why some files, which are left out, cannot be used.</param>
internal sealed record RoleCatalog(ImmutableArray<Role> Roles, ImmutableArray<ConfigError> Errors)
{
    /// <summary>Bounds what the files of a folder that anything was copied to can cost.</summary>
    private const int MaxRoles = 1000, MaxFileBytes = 256 * 1024, MaxErrors = 50;

    public static RoleCatalog Empty { get; } = new([], []);

    /// <summary>Reads all role files of the folders. A file with an error is left out as a whole.</summary>
    /// <param name="folders">Roles of an earlier folder take precedence. A missing folder is like an empty one.</param>
    public static RoleCatalog Load(ImmutableArray<string> folders)
    {
        ImmutableArray<Role>.Builder roles = ImmutableArray.CreateBuilder<Role>();
        List<ConfigError> errors = [];
        foreach (string path in folders.SelectMany(folder => RoleFolders.List(folder, errors)))
        {
            int before = errors.Count;
            ImmutableArray<Role> found = Read(path, errors);
            if (errors.Count > before)
                continue;
            if (roles.Count + found.Length > MaxRoles)
                errors.Add(new(path, default, "", FormattableString.Invariant($"there are more than {MaxRoles} roles with those of this file: remove some")));
            else
                roles.AddRange(found);
        }
        // Each one is logged, and only the first screens are read.
        return new(roles.ToImmutable(), [.. errors.Take(MaxErrors)]);
    }

    /// <summary>The role of a thread: the first that matches; null: none is known. The parameters are those of <see cref="Role.Matches"/>.</summary>
    public Role? Find(string process, string thread, bool isKernelThread)
    {
        foreach (Role role in Roles)
        {
            if (role.Matches(process, thread, isKernelThread))
                return role;
        }
        return null;
    }

    /// <summary>The roles that a person means by the name of a process or thread, or by a glob for such names.</summary>
    public IEnumerable<Role> Search(Glob name) => Roles.Where(role => role.IsMeantBy(name));

    private static ImmutableArray<Role> Read(string path, List<ConfigError> errors)
    {
        string? error = ConfigFile.Read(path, out ReadOnlyMemory<byte> content, out FileIdentity _);
        if (error is null && content.Length > MaxFileBytes)
            error = FormattableString.Invariant($"the file is longer than {MaxFileBytes} bytes");
        if (error is null)
            return RoleFile.Parse(content.Span, path, errors);
        errors.Add(new(path, default, "", error));
        return [];
    }
}
