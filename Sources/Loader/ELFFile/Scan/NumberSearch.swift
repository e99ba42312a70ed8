import Rewriter

/// Looks backwards from a `syscall` for every number that %rax may hold there.
///
/// It follows copies through registers and stack slots, along fall-through, branches and direct
/// calls. What arrives through a pointer, memory or arithmetic stays unknown, and is said to be.
struct NumberSearch {
    private struct State: Hashable {
        /// The value is wanted just before this instruction.
        let offset: Int
        let location: ValueLocation
        /// What the value's low byte became on the way from here: `mov $56,%al`.
        let lowByte: UInt8?

        /// The whole value, when it is this here.
        func value(_ constant: Int64) -> Int64 {
            lowByte.map { constant & ~0xff | Int64($0) } ?? constant
        }
    }

    /// More states than real code needs; a search that exceeds them is incomplete.
    private static let maximumStates = 4000

    /// Functions that do not return: what follows their call is reached from elsewhere.
    private static let endless: Set<String> = [
        "abort", "exit", "_exit", "_Exit", "__stack_chk_fail", "__libc_fatal", "__assert_fail",
        "__fortify_fail", "__chk_fail", "__libc_message", "pthread_exit", "runtime.throw",
        "runtime.fatalthrow", "runtime.gopanic", "runtime.exit", "runtime.goexit",
    ]

    private let region: CodeRegion
    private let symbols: SymbolTable
    private var pending: [State] = []
    private var seen: Set<State> = []
    private(set) var numbers: Set<Int64> = []
    private(set) var isComplete = true

    init(_ region: CodeRegion, _ symbols: SymbolTable, site: Int) {
        self.region = region
        self.symbols = symbols
        push(State(offset: site, location: .register(0), lowByte: nil))
        while let state = pending.popLast() {
            guard seen.count <= Self.maximumStates else {
                isComplete = false
                return
            }
            step(state)
        }
    }

    private mutating func push(_ state: State) {
        if seen.insert(state).inserted { pending.append(state) }
    }

    /// Goes one instruction back, on every way that leads here.
    private mutating func step(_ state: State) {
        var isReached = false
        var isEntry = region.isFunction(state.offset)
        for branch in region.branches(to: state.offset) {
            isReached = true
            let source = Int(branch.source)
            guard region.instruction(at: source)?.flow == .call else {
                push(State(offset: source, location: state.location, lowByte: state.lowByte))
                continue
            }
            isEntry = true
            enterCaller(source, state)
        }
        if !isEntry, let before = region.instructionBefore(state.offset), fallsThrough(before) {
            isReached = true
            goBack(to: before, state)
        }
        let isPadding = region.instruction(at: state.offset)?.isPadding ?? false
        if !isReached, !isPadding { isComplete = false }
    }

    /// From a function's first instruction to the call: the return address lies between.
    private mutating func enterCaller(_ call: Int, _ state: State) {
        switch state.location {
        case .register:
            push(State(offset: call, location: state.location, lowByte: state.lowByte))
        case .stack(let offset) where offset >= 8:
            push(State(offset: call, location: .stack(offset - 8), lowByte: state.lowByte))
        default: isComplete = false
        }
    }

    private mutating func goBack(to offset: Int, _ state: State) {
        guard let instruction = region.instruction(at: offset) else {
            isComplete = false
            return
        }
        let earlier = { (location: ValueLocation) in
            State(offset: offset, location: location, lowByte: state.lowByte)
        }
        let operands = region.operands(of: instruction, at: offset)
        switch state.location.origin(before: operands) {
        case .constant(let value): numbers.insert(state.value(value))
        case .location(let location): push(earlier(location))
        case .either(let first, let second):
            push(earlier(first))
            push(earlier(second))
        case .lowByte(let byte):
            let low = state.lowByte ?? byte
            push(State(offset: offset, location: state.location, lowByte: low))
        case .unknown: isComplete = false
        }
    }

    private func fallsThrough(_ offset: Int) -> Bool {
        guard let instruction = region.instruction(at: offset) else { return false }
        switch instruction.flow {
        case .jump, .return, .indirectJump, .stop: return false
        case .call: return !callsEndlessFunction(instruction, offset)
        default: return true
        }
    }

    private func callsEndlessFunction(_ instruction: Instruction, _ offset: Int) -> Bool {
        let offset = region.target(of: instruction, at: offset)
        let target = region.address &+ UInt64(bitPattern: Int64(offset))
        guard let (symbol, start) = symbols.symbol(containing: target), start == 0 else {
            return false
        }
        return Self.endless.contains(symbol.name) || symbol.name.hasPrefix("runtime.panic")
    }
}
