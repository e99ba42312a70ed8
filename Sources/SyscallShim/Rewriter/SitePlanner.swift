/// Finds every plan for one site. A pure function of the text and the caught number.
public struct SitePlanner {
    private let text: SiteText
    private let number: UInt64
    private let proof: BoundaryProof
    private let plans = SitePlans()
    /// Boundaries as a bit set: bit 32 is the site, lower bits lie before it.
    private var boundaries: UInt64 = 1 << 32
    /// Offsets that some branch nearby seems to lead to, as a bit set.
    private var targets: UInt64 = 0
    /// More than `Rewriter.affordableCost`: a page of stubs costs less than a trap each time.
    private static let landingCost = 16
    /// First offset after the site that must not be overwritten or copied.
    private var limit = 2

    /// The plans for the `syscall` of `text`, best first; `number` is what %rax held there.
    ///
    /// Islands cost more than all others, and looking for them takes long.
    public static func plans(for text: SiteText, number: UInt64, islands: Bool = true)
        -> SitePlans
    {
        var planner = SitePlanner(text, number)
        planner.planMoveNumber()
        // Nothing is fixed in that plan: where it finds no room, no other does.
        if planner.plans.count == 0 {
            planner.findFollowing()
            planner.findTargets()
            planner.plan(from: 0, .following)
            planner.planPreceding()
            if islands { planner.planIsland() }
        }
        return planner.plans
    }

    private init(_ text: SiteText, _ number: UInt64) {
        self.text = text
        self.number = number
        proof = BoundaryProof(text)
    }

    /// Notes the boundaries after the site, as far as the instructions can be moved.
    private mutating func findFollowing() {
        var offset = 2
        var isReached = true
        while offset < 12 {
            guard let instruction = text.instruction(at: text.site + offset),
                instruction.isMovable, isReached || instruction.isPadding
            else { break }
            mark(offset)
            offset += Int(instruction.length)
            limit = offset
            if instruction.flow == .call { break }
            // Behind a jump only what fills gaps is known to be code.
            if !instruction.fallsThrough { isReached = false }
        }
    }

    /// Notes where anything that looks like a short branch nearby leads, whether it is one or not:
    /// a branch into the jump would trap each time, so such plans are second choice.
    private mutating func findTargets() {
        let bytes = text.bytes
        var offset = 0
        while offset < bytes.count - 1 {
            let byte = bytes[offset]
            let isNear =
                byte == 0xe9 || byte & 0xf0 == 0x80 && offset > 0 && bytes[offset - 1] == 0x0f
            var target = offset - text.site
            offset += 1
            if byte & 0xf0 == 0x70 || byte == 0xeb {
                target += 2 + Int(Int8(bitPattern: bytes[offset]))
            } else if isNear, offset + 4 <= bytes.count {
                target += 5 + Int(bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
            } else {
                continue
            }
            if target >= -32, target < 32 { targets |= 1 << UInt64(target + 32) }
        }
    }

    private mutating func mark(_ offset: Int) {
        guard offset >= -32, offset < 32 else { return }
        boundaries |= 1 << UInt64(offset + 32)
    }

    private func isBoundary(_ offset: Int) -> Bool {
        guard offset >= -32, offset < 32 else { return false }
        return boundaries & (1 << UInt64(offset + 32)) != 0
    }

    /// `mov $nr,%eax` or `mov $nr,%rax` directly before the site. Equal numbers make it plausible;
    /// it must not be the tail of a longer instruction.
    private mutating func planMoveNumber() {
        let site = text.site
        guard let length = moveLength else { return }
        let value = text.bytes.loadUnaligned(fromByteOffset: site - 4, as: UInt32.self)
        guard UInt64(value) == number else { return }
        switch proof.verdict(length) {
        case .refuted: return
        case .open: guard !SitePlanner.mayBePrefix(text.bytes[site - length - 1]) else { return }
        case .proved: break
        }
        plans.boundary = length
        plans.insert(
            SitePlan(
                shape: .moveNumber,
                start: -length,
                end: 2,
                jump: -length,
                prefixes: 0,
                fixedMask: 0,
                fixedValue: 0,
                cost: 0
            )
        )
    }

    /// Bytes of what looks like a move of the number before the site, as four bytes at its end.
    private var moveLength: Int? {
        let (bytes, site) = (text.bytes, text.site)
        if site >= 8, bytes[site - 7] == 0x48, bytes[site - 6] == 0xc7, bytes[site - 5] == 0xc0 {
            return 7
        }
        return site >= 6 && bytes[site - 5] == 0xb8 ? 5 : nil
    }

    private static func mayBePrefix(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x26, 0x2e, 0x36, 0x3e, 0x40...0x4f, 0x64...0x67, 0xf0, 0xf2, 0xf3: return true
        default: return false
        }
    }

    /// Jumps that begin at each proved instruction before the site, nearest first.
    private mutating func planPreceding() {
        var distance = 1
        var nearest = 0
        while distance <= 20, distance - nearest <= 15 {
            defer { distance += 1 }
            guard proof.verdict(distance) == .proved,
                let instruction = text.instruction(at: text.site - distance),
                Int(instruction.length) == distance - nearest, instruction.isMovable,
                instruction.flow == .sequential
            else { continue }
            // Padding is there because a branch leads to what follows it.
            let landing = instruction.isPadding ? -nearest : nil
            if let landing { targets |= 1 << UInt64(landing + 32) }
            nearest = distance
            plans.boundary = distance
            mark(-distance)
            plan(from: -distance, .preceding, landing: landing)
        }
    }

    /// Plans a jump at `start` with each count of prefixes. `landing` is where control seems to arrive
    /// behind `start`: a jump that ends before it would leave the `syscall` to be caught.
    private mutating func plan(from start: Int, _ shape: SitePlan.Shape, landing: Int? = nil) {
        for prefixes in 0...2 {
            let jumpEnd = start + 5 + prefixes
            guard jumpEnd <= limit else { return }
            var end = max(jumpEnd, 2)
            while end < limit, !isBoundary(end) { end += 1 }
            var plan = SitePlan(
                shape: shape,
                start: start,
                end: end,
                jump: start,
                prefixes: prefixes,
                fixedMask: 0,
                fixedValue: 0,
                cost: prefixes
            )
            guard fixDisplacement(&plan) else { continue }
            if shape == .preceding { plan.cost += 3 }
            if let landing, landing >= jumpEnd { plan.cost += SitePlanner.landingCost }
            // The jump back would lead to a `syscall` that could no longer be patched well.
            if isSystemCall(end) { plan.cost += 24 }
            plans.insert(plan)
        }
    }

    /// Fixes the displacement bytes that used to begin an instruction; `false` if another byte did.
    private func fixDisplacement(_ plan: inout SitePlan) -> Bool {
        for offset in plan.jump + 1..<plan.jump + plan.jumpLength where isBoundary(offset) {
            let index = offset - plan.jump - plan.prefixes - 1
            guard index >= 0 else { return false }
            let shift = UInt32(index * 8)
            plan.fixedMask |= 0xff << shift
            plan.fixedValue |= 0xcc << shift
            // Fixed low bytes keep many pages possible, fixed high bytes few or none.
            if targets & (1 << UInt64(offset + 32)) != 0 { plan.cost += SitePlanner.landingCost }
            plan.cost += index == 0 ? 1 : index == 1 ? 4 : index == 2 ? 8 : 32
        }
        return true
    }

    private func isSystemCall(_ offset: Int) -> Bool {
        let index = text.site + offset
        guard index >= 0, index <= text.bytes.count - 2 else { return false }
        return text.bytes[index] == 0x0f && text.bytes[index + 1] == 0x05
    }
}

extension SitePlanner {
    /// Looks behind the next unconditional jump for padding that holds a `jmp rel32`.
    private mutating func planIsland() {
        var offset = 2
        while offset < 126 {
            guard let instruction = text.instruction(at: text.site + offset) else { return }
            offset += Int(instruction.length)
            if !instruction.fallsThrough { break }
        }
        // Each byte of the padding that begins an instruction stays or becomes 0xCC: the jump
        // begins one byte behind such a byte.
        while offset < 126, let filler = text.instruction(at: text.site + offset), filler.isPadding
        {
            planIsland(at: offset)
            offset += Int(filler.length)
        }
    }

    private mutating func planIsland(at start: Int) {
        var plan = SitePlan(
            shape: .island,
            start: 0,
            end: 2,
            jump: start + 1,
            prefixes: 0,
            fixedMask: 0,
            fixedValue: 0,
            cost: 64
        )
        var end = start
        while end < plan.jump + plan.jumpLength {
            guard let filler = text.instruction(at: text.site + end), filler.isPadding else {
                return
            }
            let index = end - plan.jump - 1
            // Nothing jumps to an `int3` that fills a gap: it may be overwritten.
            if filler.opcode != 0xcc, end > start {
                guard index >= 0 else { return }
                plan.fixedMask |= 0xff << UInt32(index * 8)
                plan.fixedValue |= 0xcc << UInt32(index * 8)
                plan.cost += 1 << index
            }
            end += Int(filler.length)
        }
        guard plan.jump - 2 <= 127 else { return }
        plan.padding = start..<end
        plans.insert(plan)
    }
}

extension Instruction {
    /// Whether the stub can hold a copy, re-encoded where it is relative to its own address.
    var isMovable: Bool {
        switch flow {
        case .systemCall, .indirectCall, .other: return false
        default: return ripDisplacementOffset == 0 || !hasAddressSizePrefix
        }
    }

    /// Whether control can arrive at the next instruction.
    var fallsThrough: Bool {
        switch flow {
        case .jump, .return, .indirectJump, .stop: return false
        default: return true
        }
    }
}
