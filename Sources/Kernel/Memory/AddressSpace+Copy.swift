import LinuxABI
import LoaderCore
import Platform

/// An address space of the platform's: see `space_copy` and its kin in platform.h.
struct PlatformSpace {
    /// nil when there is none, as for one that is only being laid out.
    private(set) var number: UInt64?

    /// The one that the platform shows; nil when it was given up.
    nonisolated(unsafe) static var active: UInt64? = 0

    init() {}

    private init(_ number: Int) { self.number = UInt64(number) }

    /// The one that is there from the start.
    static var first: PlatformSpace { PlatformSpace(0) }

    /// Throws `noMemory`, `wouldBlock`, `notImplemented`.
    static func create() throws(Errno) -> PlatformSpace {
        PlatformSpace(try checked(machine.pointee.space_create()))
    }

    static func copyOfActive() throws(Errno) -> PlatformSpace {
        PlatformSpace(try checked(machine.pointee.space_copy()))
    }

    /// Gives it up; the active one goes when another is activated.
    mutating func release() {
        guard let number else { return }
        if number == PlatformSpace.active { PlatformSpace.active = nil }
        machine.pointee.space_release(number)
        self.number = nil
    }
}

/// A change of pages that waits until their address space is active.
enum OverdueChange {
    case unmap(Range<UInt64>)
    /// Zero pages in the place of what is there.
    case clear(Range<UInt64>, MappingProtection)
}

/// Copies for fork(2).
extension AddressSpace {
    /// A copy of the active space, this one, as fork(2) makes it: nothing is locked, MADV_DONTFORK and
    /// MADV_WIPEONFORK are followed. Throws `noMemory`, `wouldBlock`.
    func duplicate() throws(Errno) -> AddressSpace {
        textKeeper?.prepareCopy()
        let copy = AddressSpace()
        try copy.regions.copy(regions)
        forEachRegion(from: 0, to: .max) { MappedSource.addRegion($0.pointee.source) }
        copy.totalPages = totalPages
        copy.largestTotalPages = totalPages
        copy.dataPages = dataPages
        copy.stackPages = stackPages
        copy.executablePages = executablePages
        copy.heap = heap
        copy.stackRoom = stackRoom
        copy.mapTop = mapTop
        copy.forgetUnforked()
        copy.platformSpace = try PlatformSpace.copyOfActive()
        copy.textKeeper = textKeeper?.duplicate()
        return copy
    }

    private func forgetUnforked() {
        var position = regions.first
        while !regions.isEnd(position) {
            let region = regions[position]
            region.pointee.flags.remove(.locked)
            let range = region.pointee.start..<region.pointee.end
            if region.pointee.flags.contains(.wipeOnFork) {
                overdue.append(.clear(range, region.pointee.protection))
            }
            guard region.pointee.flags.contains(.dontFork) else {
                position = regions.next(position)
                continue
            }
            account(region.pointee, -1)
            dropSource(region.pointee.source)
            overdue.append(.unmap(range))
            position = regions.remove(at: position)
        }
    }

    /// Takes another's place on the platform, where nothing is left of it.
    func replace(_ other: AddressSpace) {
        other.removeAll()
        machine.pointee.space_trim()
        swap(&platformSpace, &other.platformSpace)
    }

    // MARK: What waits

    var isActive: Bool {
        platformSpace.number == nil || platformSpace.number == PlatformSpace.active
    }

    /// Makes a change now if the space is active, or else when it is.
    func changeWhenActive(_ change: OverdueChange) {
        if isActive { return AddressSpace.make(change) }
        if case .unmap(let range) = change, case .unmap(let last)? = overdue.last,
            range.lowerBound <= last.upperBound, last.lowerBound <= range.upperBound
        {
            overdue.removeLast()
            let start = min(range.lowerBound, last.lowerBound)
            overdue.append(.unmap(start..<max(range.upperBound, last.upperBound)))
        } else {
            overdue.append(change)
        }
    }

    /// Makes the changes that waited, as the space is active now.
    func makeOverdueChanges() {
        guard !overdue.isEmpty else { return }
        for change in overdue { AddressSpace.make(change) }
        overdue = []
    }

    private static func make(_ change: OverdueChange) {
        switch change {
        case .unmap(let range):
            _ = machine.pointee.unmap(range.lowerBound, UInt64(range.count))
        case .clear(let range, let protection):
            _ = machine.pointee.map_anonymous(
                range.lowerBound,
                UInt64(range.count),
                UInt32(protection.rawValue)
            )
        }
    }
}
