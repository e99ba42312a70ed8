/// One way to turn a `syscall` site into a jump to a stub: a pure description, no address chosen.
///
/// The jump is `jmp rel32` with 0…2 prefixes that mean nothing to it, or for an island a `jmp rel8`
/// to such a jump in nearby padding. All offsets count from the site's first byte.
public struct SitePlan: Sendable {
    public enum Shape: UInt8, Sendable {
        /// The jump replaces `mov $nr,%eax` (or %rax); the `syscall` stays as it is.
        case moveNumber
        /// The jump begins at the `syscall` and covers instructions that follow it.
        case following
        /// The jump begins at an instruction that was proved to lie before the `syscall`.
        case preceding
        /// A short jump replaces the `syscall` and leads to a jump in padding.
        case island
    }

    public internal(set) var shape: Shape
    /// First byte that the stub copies and that is overwritten: 0 or negative.
    public internal(set) var start: Int
    /// First byte after what the stub copies: where it returns to.
    public internal(set) var end: Int
    /// Where the `jmp rel32`, its prefixes included, is: `start`, or inside of the padding.
    public internal(set) var jump: Int
    /// Prefixes of that jump.
    public internal(set) var prefixes: Int
    /// Bits of the displacement that are fixed, because the byte began an instruction …
    public internal(set) var fixedMask: UInt32
    /// … and must therefore be 0xCC.
    public internal(set) var fixedValue: UInt32
    /// Padding that an island takes, as whole instructions. Empty for other shapes.
    public internal(set) var padding: Range<Int> = 0..<0
    /// Lower is better: fewer fixed bits (stubs share pages), less to prove, less to copy.
    public internal(set) var cost: Int

    /// Bytes of the `jmp rel32` with its prefixes.
    public var jumpLength: Int { 5 + prefixes }
    /// What is overwritten at the site itself.
    public var patched: Range<Int> { start..<start + (shape == .island ? 2 : jumpLength) }
}

/// Up to sixteen plans for one site, best first. An object: copying them all takes longer than making
/// them.
public final class SitePlans {
    private static let capacity = 16

    private let plans = UnsafeMutablePointer<SitePlan>.allocate(capacity: SitePlans.capacity)
    public private(set) var count = 0
    /// How many bytes before the site the farthest boundary lies on which a plan may rely.
    public internal(set) var boundary = 0

    init() {}

    deinit { plans.deallocate() }

    public subscript(index: Int) -> SitePlan {
        precondition(index >= 0 && index < count, "a plan that was not made")
        return plans[index]
    }

    func insert(_ plan: SitePlan) {
        var position = count
        while position > 0, plans[position - 1].cost > plan.cost { position -= 1 }
        guard position < SitePlans.capacity else { return }
        if count < SitePlans.capacity { count += 1 }
        var index = count - 1
        while index > position {
            plans[index] = plans[index - 1]
            index -= 1
        }
        plans[position] = plan
    }
}
