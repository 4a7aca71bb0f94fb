using System.Collections.Immutable;

namespace ThreadExporter.Matching;

/// <summary>
/// A set of filters, by index: for example, the filters with <c>children</c> that a process or one of its ancestors matched. It is valid only
/// for the <see cref="Matcher"/> that created it: after a reload it is built again.
/// </summary>
internal readonly struct FilterSet
{
    private readonly ImmutableArray<int> _sorted;

    private FilterSet(ImmutableArray<int> sorted) => _sorted = sorted;

    public static FilterSet Empty => default;

    public bool IsEmpty => _sorted.IsDefaultOrEmpty;

    public bool Contains(int filter) => !IsEmpty && _sorted.BinarySearch(filter) >= 0;

    public FilterSet With(int filter)
    {
        if (IsEmpty)
            return new FilterSet([filter]);
        int index = _sorted.BinarySearch(filter);
        return index >= 0 ? this : new FilterSet(_sorted.Insert(~index, filter));
    }

    public FilterSet Union(FilterSet other)
    {
        FilterSet union = this;
        foreach (int filter in other.IsEmpty ? [] : other._sorted)
            union = union.With(filter);
        return union;
    }
}
