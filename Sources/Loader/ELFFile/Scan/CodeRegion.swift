import Rewriter

/// Machine code that lies together, swept once from its begin to its end.
///
/// The sweep starts anew at every function that the symbols name. Compilers put no data between
/// instructions on x86-64; where an assembler does, what cannot be decoded is stepped over.
final class CodeRegion {
    /// A branch or call with a known target inside the region; offsets from its begin.
    struct Branch {
        let target: UInt32
        let source: UInt32
    }

    let address: UInt64
    /// A copy of the code, freed with the region.
    let code: UnsafeRawBufferPointer
    /// Offsets of `syscall`.
    private(set) var systemCalls: [Int] = []
    /// Offsets of `int $0x80` and `sysenter`.
    private(set) var legacyCalls: [Int] = []
    /// By target.
    private var branches: [Branch] = []
    /// One bit for each byte: an instruction begins here.
    private var starts: [UInt64]
    private let functions: Set<Int>

    init(address: UInt64, bytes: [UInt8], symbols: SymbolTable) {
        self.address = address
        // Offsets are kept in 32 bits.
        let size = min(bytes.count, Int(Int32.max))
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        copy.copyBytes(from: bytes.prefix(size))
        code = UnsafeRawBufferPointer(copy)
        starts = [UInt64](repeating: 0, count: size / 64 + 1)
        let end = address &+ UInt64(size)
        let ascending = symbols.functions(from: address, to: end).map { Int($0 - address) }
        functions = Set(ascending)
        sweep(ascending)
        branches.sort { $0.target < $1.target }
    }

    deinit { code.deallocate() }

    private func sweep(_ entries: [Int]) {
        var offset = 0
        var nextEntry = 0
        while offset < code.count {
            while nextEntry < entries.count, entries[nextEntry] <= offset { nextEntry += 1 }
            let limit = nextEntry < entries.count ? entries[nextEntry] : code.count
            guard let instruction = instruction(at: offset) else {
                offset += 1
                continue
            }
            let end = offset + Int(instruction.length)
            guard end <= limit else {
                offset = limit
                continue
            }
            record(instruction, offset)
            offset = end
        }
    }

    private func record(_ instruction: Instruction, _ offset: Int) {
        starts[offset / 64] |= 1 << UInt64(offset % 64)
        switch instruction.flow {
        case .systemCall: systemCalls.append(offset)
        case .conditionalBranch, .jump, .call:
            let target = target(of: instruction, at: offset)
            guard target >= 0, target < code.count else { return }
            branches.append(Branch(target: UInt32(target), source: UInt32(offset)))
        default:
            let isInterrupt = instruction.map == .oneByte && instruction.opcode == 0xcd
            let isLinux = isInterrupt && code[offset + Int(instruction.length) - 1] == 0x80
            let isSysenter = instruction.map == .escape0F && instruction.opcode == 0x34
            if isLinux || isSysenter { legacyCalls.append(offset) }
        }
    }

    func instruction(at offset: Int) -> Instruction? {
        InstructionDecoder.decode(code, at: offset)
    }

    /// Where a relative branch leads: an offset, perhaps outside the region.
    func target(of instruction: Instruction, at offset: Int) -> Int {
        let end = offset + Int(instruction.length)
        if instruction.branchSize == 1 { return end + Int(Int8(bitPattern: code[end - 1])) }
        return end + Int(code.loadUnaligned(fromByteOffset: end - 4, as: Int32.self))
    }

    func operands(of instruction: Instruction, at offset: Int) -> Operands {
        Operands(instruction, code, at: offset)
    }

    private func isStart(_ offset: Int) -> Bool {
        starts[offset / 64] >> UInt64(offset % 64) & 1 == 1
    }

    /// The instruction that ends where the one at `offset` begins.
    func instructionBefore(_ offset: Int) -> Int? {
        for candidate in stride(from: offset - 1, through: max(0, offset - 15), by: -1)
        where isStart(candidate) {
            guard let instruction = instruction(at: candidate) else { return nil }
            return candidate + Int(instruction.length) == offset ? candidate : nil
        }
        return nil
    }

    /// Branches and calls whose target is `offset`.
    func branches(to offset: Int) -> ArraySlice<Branch> {
        var low = 0
        var high = branches.count
        while low < high {
            let middle = (low + high) / 2
            if branches[middle].target < offset { low = middle + 1 } else { high = middle }
        }
        var end = low
        while end < branches.count, branches[end].target == offset { end += 1 }
        return branches[low..<end]
    }

    /// A function that the symbols name begins here.
    func isFunction(_ offset: Int) -> Bool { functions.contains(offset) }
}
