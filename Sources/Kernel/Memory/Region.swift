import LinuxABI
import LoaderCore

/// A range of pages of one kind: what Linux calls a VMA. Plain data, kept in a `RegionList`.
struct Region {
    var start: UInt64
    var end: UInt64
    /// Offset in the object of the first page. For private anonymous memory the address at which
    /// it was mapped first, which tells as on Linux what may merge after a move.
    var offset: UInt64
    /// The object shown; nil for private anonymous memory. Counted in `MappedSource.regions`.
    var source: Unmanaged<MappedSource>?
    var protection: MappingProtection
    var flags: RegionFlags

    @inline(__always)
    var length: UInt64 { end &- start }

    @inline(__always)
    var pages: Int { Int(length >> 12) }

    @inline(__always)
    var isShared: Bool { flags.contains(.shared) }

    @inline(__always)
    var isLocked: Bool { flags.contains(.locked) }

    @inline(__always)
    var isKernelOwned: Bool { flags.contains(.kernelOwned) }

    /// Counts against RLIMIT_DATA, as Linux's is_data_mapping.
    var isData: Bool {
        protection.contains(.write) && flags.isDisjoint(with: [.shared, .growsDown])
    }

    /// Code that the rewriter may have patched.
    var isText: Bool { source != nil && protection.contains(.execute) && !isShared }

    /// The object's offset of an address inside.
    @inline(__always)
    func offset(of address: UInt64) -> UInt64 { offset &+ (address &- start) }

    /// Whether `next` only goes on where this region ends.
    func continues(in next: Region) -> Bool {
        end == next.start && protection == next.protection
            && flags.subtracting(.passing) == next.flags.subtracting(.passing)
            && source?.toOpaque() == next.source?.toOpaque() && offset &+ length == next.offset
            && !isKernelOwned
    }

    /// Whether protection permits an access; on x86 what is writable or executable is readable.
    func permits(_ access: MemoryAccess) -> Bool {
        switch access {
        case .read: !protection.isEmpty
        case .write: protection.contains(.write)
        case .execute: protection.contains(.execute)
        }
    }
}

struct RegionFlags: OptionSet {
    let rawValue: UInt16
    init(rawValue: UInt16) { self.rawValue = rawValue }

    static var shared: RegionFlags { RegionFlags(rawValue: 1 << 0) }
    /// Grows down on faults below, as a stack.
    static var growsDown: RegionFlags { RegionFlags(rawValue: 1 << 1) }
    static var locked: RegionFlags { RegionFlags(rawValue: 1 << 2) }
    /// The platform has nothing there yet: a reservation that was never accessible.
    static var unbacked: RegionFlags { RegionFlags(rawValue: 1 << 3) }
    /// Stubs and the vDSO: not the program's to change.
    static var kernelOwned: RegionFlags { RegionFlags(rawValue: 1 << 4) }
    static var vdso: RegionFlags { RegionFlags(rawValue: 1 << 5) }
    /// A shared mapping of a file that is not open for writing.
    static var mayNotWrite: RegionFlags { RegionFlags(rawValue: 1 << 6) }
    static var mayNotExecute: RegionFlags { RegionFlags(rawValue: 1 << 7) }
    /// Some pages of the object are not mapped on the platform until they are touched.
    static var incomplete: RegionFlags { RegionFlags(rawValue: 1 << 8) }
    static var dontFork: RegionFlags { RegionFlags(rawValue: 1 << 9) }
    static var wipeOnFork: RegionFlags { RegionFlags(rawValue: 1 << 10) }
    static var dontDump: RegionFlags { RegionFlags(rawValue: 1 << 11) }
    /// It may have been written, though perhaps it cannot be any more.
    static var wasWritable: RegionFlags { RegionFlags(rawValue: 1 << 12) }
    /// What makes no other region of it.
    static var passing: RegionFlags { [.incomplete, .wasWritable] }
}

/// What a program did with memory when it faulted.
public enum MemoryAccess: UInt8 {
    case read, write, execute
}

/// An object and how it was opened, shared by the regions that came from one mmap(2).
final class MappedSource {
    let object: any Mappable
    let name: any MappedName
    let mayWrite: Bool
    let mayExecute: Bool
    /// Regions that hold this; it lives as long as there are any.
    private var regions = 0

    init(_ object: any Mappable, _ name: any MappedName, mayWrite: Bool, mayExecute: Bool) {
        self.object = object
        self.name = name
        self.mayWrite = mayWrite
        self.mayExecute = mayExecute
    }

    static func addRegion(_ source: Unmanaged<MappedSource>?) {
        guard let source else { return }
        let object = source.takeUnretainedValue()
        if object.regions == 0 { _ = source.retain() }
        object.regions += 1
        object.object.mappedRegions += 1
    }

    /// True when it was the last: the caller releases the source.
    static func removeRegion(_ source: Unmanaged<MappedSource>) -> Bool {
        let object = source.takeUnretainedValue()
        object.regions -= 1
        object.object.mappedRegions -= 1
        return object.regions == 0
    }

    func isSame(
        _ object: any Mappable,
        _ name: any MappedName,
        _ mayWrite: Bool,
        _ mayExecute: Bool
    )
        -> Bool
    {
        self.object === object && self.name === name && self.mayWrite == mayWrite
            && self.mayExecute == mayExecute
    }
}
