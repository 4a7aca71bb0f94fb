using System.Text.RegularExpressions;
using ThreadExporter.Procfs;

namespace ThreadExporter.Matching;

/// <summary>
/// The text of a command line that regular expressions match: the arguments joined by spaces. When the command line was cut, the head and the
/// tail: no match spans the gap, <c>^</c> matches only at the start of the head and <c>$</c> only at the end of the tail.
/// </summary>
internal sealed class CommandText
{
    private readonly string _text;
    private readonly int _gap = -1;

    public CommandText(CommandLineBytes bytes)
    {
        _text = ProcCmdline.Join(bytes.Head);
        if (!bytes.WasCut)
            return;
        _gap = _text.Length;
        // A newline, because `.` does not match it.
        _text = $"{_text}\n{ProcCmdline.Join(bytes.Tail)}";
    }

    public bool IsMatch(Regex regex) => _gap < 0 ? regex.IsMatch(_text) : Match(regex).Success;

    public Match Match(Regex regex)
    {
        Match match = regex.Match(_text);
        bool touchesGap = match.Success && match.Index <= _gap && match.Index + match.Length > _gap;
        // From the start of the tail, but in the whole text: `^` and `\b` must see the character before it.
        return touchesGap ? regex.Match(_text, _gap + 1) : match;
    }

    public override string ToString() => _text;
}
