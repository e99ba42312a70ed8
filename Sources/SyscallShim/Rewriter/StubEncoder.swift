/// Writes the stub of one plan: the copied instructions before the site, the call of the entry, and
/// the copied instructions after it.
///
/// The call part loads %rcx with the address at which the entry returns, as the `syscall` itself
/// would, and jumps. When instructions after the site were taken, that address is their copy in
/// the stub: the entry comes straight back to it. The stub uses no stack and leaves the flags and
/// all registers but those that a `syscall` clobbers anyway (%rcx, %r11) as they were.
struct StubEncoder {
    private let text: SiteText
    private let plan: SitePlan
    private let address: UInt64
    private let entry: UInt64
    private var stub = Stub()

    /// The stub for `plan` at `address`, or `nil` when something is out of a displacement's reach.
    static func encode(
        _ plan: SitePlan,
        of text: SiteText,
        at address: UInt64,
        entry: UInt64
    ) -> Stub? {
        var encoder = StubEncoder(text, plan, address, entry)
        return encoder.run() ? encoder.stub : nil
    }

    private init(_ text: SiteText, _ plan: SitePlan, _ address: UInt64, _ entry: UInt64) {
        self.text = text
        self.plan = plan
        self.address = address
        self.entry = entry
    }

    private mutating func run() -> Bool {
        var offset = plan.start
        while offset < 0 {
            guard let length = copy(offset) else { return false }
            offset += length
        }
        guard offset == 0, note(0), enter() else { return false }
        guard plan.end > 2 else { return true }
        offset = 2
        var falls = true
        while offset < plan.end {
            guard let instruction = text.instruction(at: text.site + offset) else { return false }
            // Fillers that nothing falls into share the jump at the end.
            guard falls || instruction.opcode == 0xcc else {
                guard note(offset) else { return false }
                offset += Int(instruction.length)
                continue
            }
            guard let length = copy(offset) else { return false }
            falls = instruction.fallsThrough && instruction.flow != .call
            offset += length
        }
        if !falls, plan.end == lastCopied { return true }
        return note(plan.end) && jump(to: original(plan.end))
    }

    /// First offset behind the instruction that ended the flow, when nothing came after it.
    private var lastCopied: Int { end }
    private var end = 0

    private func original(_ offset: Int) -> UInt64 { text.address(of: text.site + offset) }

    private var here: UInt64 { address &+ UInt64(stub.length) }

    private mutating func note(_ offset: Int) -> Bool {
        stub.map.append(origin: offset, offset: stub.length)
    }

    /// Appends the low `count` bytes of `value`.
    private mutating func put(_ value: UInt64, _ count: Int) -> Bool {
        guard stub.length + count <= Stub.capacity else { return false }
        for index in 0..<count {
            stub.bytes[stub.length + index] = UInt8(truncatingIfNeeded: value >> UInt64(index * 8))
        }
        stub.length += count
        return true
    }

    /// Appends the displacement from the end of the four bytes it takes, and `trailing` more.
    private mutating func putRelative(_ target: UInt64, trailing: Int = 0) -> Bool {
        let end = here &+ 4 &+ UInt64(trailing)
        guard let displacement = Int32(exactly: Int64(bitPattern: target &- end)) else {
            return false
        }
        return put(UInt64(UInt32(bitPattern: displacement)), 4)
    }

    private mutating func jump(to target: UInt64) -> Bool {
        put(0xe9, 1) && putRelative(target)
    }

    /// `mov $return,%ecx` or `lea return(%rip),%rcx`, then the jump to the entry.
    private mutating func enter() -> Bool {
        let reach = Int64(bitPattern: entry &- here)
        let isNear = reach > -0x7fff_0000 && reach < 0x7fff_0000
        let jumpLength = isNear ? 5 : 13
        let loadLength = address < 0xffff_f000 ? 5 : 7
        let after = here &+ UInt64(loadLength + jumpLength)
        let resume = plan.end > 2 ? after : original(2)
        if loadLength == 5, resume <= 0xffff_ffff {
            guard put(0xb9, 1), put(resume, 4) else { return false }
        } else {
            guard put(0x0d_8d48, 3), putRelative(resume) else { return false }
        }
        if isNear { return jump(to: entry) }
        // movabs $entry,%r11; jmp *%r11
        return put(0xbb49, 2) && put(entry, 8) && put(0xe3_ff41, 3)
    }

    /// Copies the instruction at `offset`; returns its original length.
    private mutating func copy(_ offset: Int) -> Int? {
        let index = text.site + offset
        guard let instruction = text.instruction(at: index), instruction.isMovable, note(offset)
        else { return nil }
        let length = Int(instruction.length)
        end = offset + length
        if instruction.branchSize != 0 {
            let displacement = instruction.branchDisplacement(in: text.bytes, at: index)
            let target = original(end) &+ UInt64(bitPattern: displacement)
            return branch(instruction, to: target) ? length : nil
        }
        let displacementOffset = Int(instruction.ripDisplacementOffset)
        var position = 0
        while position < length {
            if position == displacementOffset, position != 0 {
                let displacement = text.bytes.loadUnaligned(
                    fromByteOffset: index + position,
                    as: Int32.self
                )
                let target = original(end) &+ UInt64(bitPattern: Int64(displacement))
                guard putRelative(target, trailing: length - position - 4) else { return nil }
                position += 4
                continue
            }
            guard put(UInt64(text.bytes[index + position]), 1) else { return nil }
            position += 1
        }
        return length
    }

    /// Re-encodes a relative branch with a 32-bit displacement.
    private mutating func branch(_ instruction: Instruction, to target: UInt64) -> Bool {
        let near = redirected(target)
        switch instruction.flow {
        case .jump: return jump(to: near)
        case .call: return call(target)
        case .conditionalBranch:
            let condition = UInt64(instruction.opcode & 0xf)
            return put(0x0f, 1) && put(0x80 | condition, 1) && putRelative(near)
        default: return false
        }
    }

    /// A branch back to what was copied already goes to the copy, not to a trap.
    private func redirected(_ target: UInt64) -> UInt64 {
        let distance = Int64(bitPattern: target &- original(0))
        guard distance >= Int64(plan.start), distance < Int64(plan.end),
            let offset = stub.map.offset(ofOrigin: Int(distance))
        else { return target }
        return address &+ UInt64(offset)
    }

    /// A call whose return address is the original one, so that unwinders and the callee see it.
    ///
    /// %rsp moves only after the return address is complete below it: interrupted before that, the
    /// call can be executed again from its beginning.
    private mutating func call(_ target: UInt64) -> Bool {
        let back = original(end)
        // movl $low,-8(%rsp); movl $high,-4(%rsp); lea -8(%rsp),%rsp; jmp target
        guard put(0xf824_44c7, 4), put(back & 0xffff_ffff, 4),
            put(0xfc24_44c7, 4), put(back >> 32, 4),
            put(0xf824_648d_48, 5),
            stub.map.append(origin: Int(StubMap.branchTarget), offset: stub.length)
        else { return false }
        stub.branchTarget = target
        return jump(to: target)
    }
}
