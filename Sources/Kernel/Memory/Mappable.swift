import LinuxABI

/// Something whose pages can be mapped: what an inode is to mmap(2).
///
/// Offsets are in bytes and multiples of the page size. Pages that a mapping shows are those that
/// read(2) and write(2) use, so all views of a file agree without any work.
public protocol Mappable: AnyObject {
    /// How many regions of address spaces show this object. The address spaces count; the object
    /// only keeps the number, zero at first.
    var mappedRegions: Int { get set }

    /// Size in bytes. A page that lies wholly beyond raises SIGBUS.
    var mappableSize: UInt64 { get }

    /// Whether no new shared mapping may be written, however the file was opened: F_SEAL_WRITE.
    var forbidsWriting: Bool { get }

    /// Device and inode number, for /proc/PID/maps.
    var mappedIdentity: (device: UInt64, inode: UInt64) { get }

    /// Whether a shared mapping may be written: what is written there is then the object's.
    var allowsSharedWriting: Bool { get }

    /// The pages from `offset` on: a run of one kind, at most `limit` pages and at least one.
    ///
    /// With `allocating` a hole becomes a zeroed page of the object first, so the answer is no
    /// hole: the program touched it. Without, nothing is allocated.
    /// Throws `noMemory` or `noSpace` (the program gets SIGBUS), or `inputOutputError`.
    func mappedPages(at offset: UInt64, limit: Int, allocating: Bool) throws(Errno) -> MappedPages

    /// Frees pages, whose bytes then read as zero: madvise(MADV_REMOVE). Throws `notSupported`.
    func removePages(at offset: UInt64, length: UInt64) throws(Errno)

    /// As fsync(2), for msync(MS_SYNC).
    func synchronizePages(at offset: UInt64, length: UInt64) throws(Errno)
}

extension Mappable {
    public var allowsSharedWriting: Bool { true }
    public var forbidsWriting: Bool { false }

    public func removePages(at offset: UInt64, length: UInt64) throws(Errno) {
        throw .notSupported
    }

    public func synchronizePages(at offset: UInt64, length: UInt64) throws(Errno) {}
}

/// A run of pages of a mapped object.
public enum MappedPages {
    /// Pages of an image (enum platform_image) from a page-aligned offset; only for objects that
    /// are never written, or for what of them was not written yet.
    case image(UInt32, offset: UInt64, pages: Int)
    /// Frames of the machine's memory, one after another.
    case frames(Frame, pages: Int)
    /// Pages that were never written.
    case hole(pages: Int)
    /// Nothing: the object ends before `offset`.
    case beyondEnd
}

/// What knows the path by which an object was mapped: the open file, which a mapping keeps alive.
public protocol MappedName: AnyObject {
    /// Appends the path as /proc/PID/maps shows it.
    func appendMappedPath(to text: inout [UInt8])

    /// What shmat(2) attached by this mapping; nil for any other.
    var attachedSegment: AnyObject? { get }

    /// The file system whose file is mapped.
    var mappedFilesystem: AnyObject? { get }
}

extension MappedName {
    public var mappedFilesystem: AnyObject? { nil }
    public var attachedSegment: AnyObject? { nil }
}

/// Where the pages of a new mapping come from.
public enum MappingSource {
    /// Zero pages: MAP_ANONYMOUS, or /dev/zero.
    case anonymous
    /// `mayWrite` tells that a shared mapping may be written: the file is open for writing.
    /// `mayExecute` is false on a file system mounted noexec.
    case file(any Mappable, name: any MappedName, mayWrite: Bool, mayExecute: Bool)
}
