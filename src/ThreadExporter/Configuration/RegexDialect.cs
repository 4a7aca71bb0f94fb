using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using ThreadExporter.Text;

namespace ThreadExporter.Configuration;

/// <summary>
/// Rejects syntax that .NET accepts in a regular expression but interprets differently from RE2, PCRE, POSIX or grep: such an expression would
/// silently match nothing, or something else. Also rejects, with a hint, some syntax that these support and .NET does not.
/// </summary>
internal ref partial struct RegexDialect
{
    /// <summary>The characters of <c>[:name:]</c> as .NET writes them between brackets.</summary>
    private static readonly ImmutableArray<(string Name, string Same)> Classes =
    [
        ("alnum", "A-Za-z0-9"), ("alpha", "A-Za-z"), ("ascii", @"\x00-\x7F"), ("blank", @" \t"), ("cntrl", @"\x00-\x1F\x7F"),
        ("digit", "0-9"), ("graph", "!-~"), ("lower", "a-z"), ("print", " -~"), ("punct", "!-/:-@\\[-`{-~"),
        ("space", @"\s"), ("upper", "A-Z"), ("word", @"\w"), ("xdigit", "0-9A-Fa-f"),
    ];

    private readonly string _pattern;
    private int _index;

    /// <summary>The options <c>x</c> and <c>n</c> of the innermost group; <see cref="_outer"/> has those of the groups around it.</summary>
    private (bool Extended, bool Explicit) _options;
    private readonly Stack<(bool, bool)> _outer = new();
    private bool? _firstHasName;
    private int _unnamed = -1;

    private RegexDialect(string pattern) => _pattern = pattern;

    /// <summary>Null, or what is wrong. An expression that .NET rejects itself may pass.</summary>
    /// <param name="pattern">The expression.</param>
    /// <param name="takesFirstGroup">Its first group is used: .NET numbers named groups after unnamed ones.</param>
    public static string? GetError(string pattern, bool takesFirstGroup) => new RegexDialect(pattern).Find(takesFirstGroup);

    private readonly ReadOnlySpan<char> Rest => _pattern.AsSpan(_index);

    private string? Find(bool takesFirstGroup)
    {
        while (_index < _pattern.Length)
        {
            string? error = _pattern[_index] switch
            {
                '\\' => Escape(),
                '[' => Class(),
                '(' => Group(),
                ')' => EndGroup(),
                '#' when _options.Extended => Comment('\n'),
                '{' when CountWithoutMinimum().Match(_pattern, _index) is { Success: true } count =>
                    Error("{,n} is literal text here", $"write {{0{count.Value[1..]}"),
                '*' or '+' or '?' when Rest is [_, '+', ..] => Error("possessive quantifiers are not supported", "remove the second +"),
                _ => Skip(1),
            };
            if (error is not null)
                return error;
        }
        if (!takesFirstGroup || _firstHasName is not true || _unnamed < 0)
            return null;
        _index = _unnamed;
        return Error("unnamed groups are numbered before named ones here", "name all groups or none, or write (?:…)");
    }

    private string? Escape()
    {
        string? error = Rest is ['\\', '<' or '>', ..]
            ? Error($@"\{Rest[1]} is the character {Rest[1]} here", $@"write \b for a word boundary, {Rest[1]} for the character")
            : SharedEscape();
        // In `\c[` the bracket is part of the escape: it names a control character.
        return error ?? Skip(Rest is ['\\', 'c', ..] ? 3 : 2);
    }

    /// <summary>Escapes that mean the same inside and outside brackets.</summary>
    private readonly string? SharedEscape() => Rest switch
    {
        ['\\', 'Q' or 'E', ..] => Error(@"\Q…\E is not supported", @"write \ before each special character"),
        ['\\', 'h', ..] => Error(@"\h is not supported", @"write [ \t]"),
        ['\\', 'H', ..] => Error(@"\H is not supported", @"write [^ \t]"),
        ['\\', 'R', ..] => Error(@"\R is not supported", @"write \r?\n"),
        ['\\', 'x', '{', ..] => Error(@"\x{…} is not supported", @"write \xHH or \uHHHH"),
        ['\\', 'p' or 'P', not '{', ..] => Error($@"\{Rest[1]}{Rest[2]} is not supported", $@"write \{Rest[1]}{{{Rest[2]}}}"),
        _ => null,
    };

    private string? Class()
    {
        // After an escaped [ the set may be intended as it is.
        if (OuterName().Match(_pattern, _index) is { Success: true } alone && (_index == 0 || _pattern[_index - 1] != '['))
            return Error($"{alone.Value} is a set of characters", $"write {Same(alone.Groups[1].Value, "[", "]")}");
        _index += Rest is ['[', '^', ..] ? 2 : 1;
        for (bool isFirst = true; !Rest.IsEmpty && (isFirst || Rest is not [']', ..]); isFirst = false)
        {
            string? error = Rest switch
            {
                ['\\', 'c', ..] => Skip(3),
                ['\\', ..] => SharedEscape() ?? Skip(2),
                ['[', ':', ..] when InnerName().Match(_pattern, _index) is { Success: true } name =>
                    Error($"{name.Value} is not supported", $"write {Same(name.Groups[1].Value, "", "")} instead"),
                ['[', '.' or '=', ..] when Collating().Match(_pattern, _index) is { Success: true } symbol =>
                    Error($"{symbol.Value} is not supported", $"write {symbol.Groups[2].Value} alone"),
                ['-', '[', ..] when !isFirst => Error("-[ subtracts characters from the set here", @"write \[ for the character"),
                _ => Skip(1),
            };
            if (error is not null)
                return error;
        }
        return Skip(1);
    }

    private string? Group()
    {
        if (Rest is ['(', '?', '#', ..])
            return Comment(')');
        if (Rest is ['(', '?', 'P', var kind, ..])
        {
            return kind == '<' ? Error("(?P<name>…) is not supported", "write (?<name>…)")
                : Error("group references are not supported", "write the pattern out");
        }
        if (Rest is ['(', '?', 'R' or '&' or (>= '0' and <= '9'), ..])
            return Error("recursion is not supported", "write the pattern out");
        (bool Extended, bool Explicit) inner = _options;
        if (Options().Match(_pattern, _index) is { Success: true } options)
        {
            bool isOn = true;
            foreach (char letter in options.Groups[1].ValueSpan)
            {
                isOn = letter switch { '-' => false, '+' => true, _ => isOn };
                inner = letter switch { 'x' => inner with { Extended = isOn }, 'n' => inner with { Explicit = isOn }, _ => inner };
            }
            // Without a colon the options apply to the rest of the enclosing group.
            if (options.Value[^1] == ')')
            {
                _options = inner;
                return Skip(options.Length);
            }
        }
        else if (Rest is ['(', '?', '\'', ..] or ['(', '?', '<', not ('=' or '!'), ..])
        {
            _firstHasName ??= true;
        }
        else if (Rest is not ['(', '?', ..] && !_options.Explicit)
        {
            _firstHasName ??= false;
            _unnamed = _unnamed < 0 ? _index : _unnamed;
        }
        _outer.Push(_options);
        _options = inner;
        // The ? of a group is not a quantifier.
        return Skip(Rest is ['(', '?', ..] ? 2 : 1);
    }

    private string? EndGroup()
    {
        if (_outer.TryPop(out (bool, bool) options))
            _options = options;
        return Skip(1);
    }

    private string? Comment(char end)
    {
        int length = Rest.IndexOf(end);
        return Skip(length < 0 ? _pattern.Length : length + 1);
    }

    private string? Skip(int length)
    {
        _index = Math.Min(_index + length, _pattern.Length);
        return null;
    }

    private static string Same(string name, string open, string close)
    {
        string? known = Classes.FirstOrDefault(c => c.Name == name.TrimStart('^')).Same;
        return known is null || name.StartsWith('^') ? "its characters" : open + known + close;
    }

    private readonly string Error(string what, string hint)
    {
        int character = _index + 1;
        return string.Create(CultureInfo.InvariantCulture,
            $"is a regular expression of another dialect: at character {character}, {Printable.Of(what)}: {Printable.Of(hint)}");
    }

    [GeneratedRegex(@"\G\[\^?:([a-z]+):\]")]
    private static partial Regex OuterName();

    [GeneratedRegex(@"\G\[:(\^?[A-Za-z]+):\]")]
    private static partial Regex InnerName();

    [GeneratedRegex(@"\G\[([.=])(.)\1\]")]
    private static partial Regex Collating();

    [GeneratedRegex(@"\G\{,[0-9]+\}")]
    private static partial Regex CountWithoutMinimum();

    [GeneratedRegex(@"\G\(\?([imnsx+-]+)[:)]")]
    private static partial Regex Options();
}
