/// Sites that processes with the same text found one after the other, since one of them was copied.
///
/// What a child executes its brothers will execute too: the parent rewrites it before the next one is made,
/// and it is caught once for all of them.
final class LearnedSites {
    private(set) var sites: [(site: UInt64, number: UInt64)] = []

    /// As many as a program's file is known by: a process that forks without end must not fill the heap.
    private static let limit = 4096

    func add(_ site: UInt64, _ number: UInt64) {
        guard sites.count < LearnedSites.limit else { return }
        for known in sites where known.site == site { return }
        sites.append((site, number))
    }
}
