/// Where stubs may lie for sites in one range of code.
public struct StubWindow: Sendable {
    /// Sites that this window serves.
    public var code: Range<UInt64>
    /// Addresses that their stubs may take.
    public var stubs: Range<UInt64>
    /// How far above the site to begin looking for a free page, in bytes: room for heaps to grow.
    public var distance: UInt64

    public init(code: Range<UInt64>, stubs: Range<UInt64>, distance: UInt64 = 0) {
        self.code = code
        self.stubs = stubs
        self.distance = distance
    }
}

/// Which displacements a stub's address may have from the end of the jump to it.
struct StubConstraint {
    /// Address of the first byte behind the jump.
    var origin: UInt64
    var mask: UInt32
    var value: UInt32
    /// Bytes that the stub takes.
    var length: Int

    /// The lowest allowed address at or above `address`, disregarding the lower free bits.
    func next(_ address: UInt64) -> UInt64? {
        let displacement = address &- origin
        let mask = UInt64(self.mask)
        var found = (displacement & ~mask) | UInt64(value)
        if Int64(bitPattern: found) < Int64(bitPattern: displacement) {
            // A fixed byte made it smaller: count up the free bits above that byte, the rest is 0.
            let width = 64 - UInt64((found ^ displacement).leadingZeroBitCount)
            let below = (1 << ((width + 7) & ~7)) &- 1 as UInt64
            found = (((displacement | mask | below) &+ 1) & ~mask) | UInt64(value)
        }
        guard Int32(exactly: Int64(bitPattern: found)) != nil else { return nil }
        return origin &+ found
    }
}

/// One page of stubs, and which of its granules of 16 bytes are taken.
struct StubPage {
    static let size: UInt64 = 4096

    let address: UInt64
    private var taken = InlineArray<4, UInt64>(repeating: 0)
    /// No granule below is free.
    private var firstFree = 0

    init(address: UInt64) { self.address = address }

    /// The first free address in the page that `constraint` allows.
    func find(_ constraint: StubConstraint) -> UInt64? {
        var cursor = address &+ UInt64(firstFree) << 4
        let last = address &+ StubPage.size &- UInt64(constraint.length)
        while let candidate = constraint.next(cursor), candidate <= last {
            guard let obstacle = conflict(candidate, constraint.length) else { return candidate }
            cursor = obstacle &+ 16
            guard cursor <= last else { return nil }
        }
        return nil
    }

    /// The last taken granule that a stub at `start` would touch.
    private func conflict(_ start: UInt64, _ length: Int) -> UInt64? {
        let first = Int((start &- address) >> 4)
        let last = Int((start &- address &+ UInt64(length - 1)) >> 4)
        var granule = last
        while granule >= first {
            if taken[granule >> 6] & (1 << UInt64(granule & 63)) != 0 {
                return address &+ UInt64(granule) << 4
            }
            granule -= 1
        }
        return nil
    }

    mutating func take(_ start: UInt64, _ length: Int) {
        let first = Int((start &- address) >> 4)
        let last = Int((start &- address &+ UInt64(length - 1)) >> 4)
        for granule in first...last { taken[granule >> 6] |= 1 << UInt64(granule & 63) }
        while firstFree < 256, taken[firstFree >> 6] & 1 << UInt64(firstFree & 63) != 0 {
            firstFree += 1
        }
    }
}
