import HostCalls
import LaunchRecord
import Platform

/// The host processes of an instance: one for each address space, and one of them at a time has the turn
/// to run kernel and program.
///
/// The program's memory is each process's own, so a copy of an address space is a copy of the process. The
/// kernel's is shared by all: its heap always, its variables from the first copy on. Whoever passes the
/// turn has saved its registers on its thread's kernel stack, and waits on a stack that only it has: the
/// kernel's stacks may be another's to use meanwhile.
enum HostProcesses {
    private static let tryAgain: Int64 = -11
    private static let interrupted: Int64 = -4

    private static var identity: UnsafeMutablePointer<host_identity> {
        UnsafeMutablePointer(bitPattern: UInt(HOST_IDENTITY))!
    }

    static var hasTurn: Bool {
        load_shared(&host_processes.turn) == UInt32(truncatingIfNeeded: identity.pointee.number)
    }

    /// Whether it is the one that `unirun` started, whose end is the instance's.
    static var isFirst: Bool { identity.pointee.number == 0 }

    /// Whether a copy was interrupted before it knew that it is one.
    static func isJoining(_ registers: UnsafePointer<interrupt_registers>) -> Bool {
        let (rip, places) = (registers.pointee.rip, code_places)
        guard rip >= places.hypercall_cloned, rip < places.hypercall_joined else { return false }
        return rip >= places.hypercall_joins || registers.pointee.rax == 0
    }

    // MARK: The kernel's variables

    private static var pageSize: UInt64 { 4096 }
    private static var variables: UInt64 { code_places.variables }

    /// Bytes in front of the machine's memory for the variables that all share: the first of them are
    /// needed at each start, near what the kernel touches first.
    static var variablesSize: UInt64 { entry_places.image_end &- variables }

    /// Shares the processor's page, before anything interrupts: what interrupts note there is not lost
    /// when the other pages are moved. A negated errno when the host refuses.
    static func shareProcessor() -> Int64 { share(0, pageSize) }

    /// Shares all others.
    private static func shareVariables() -> Int64 { share(pageSize, variablesSize - pageSize) }

    private static func share(_ start: UInt64, _ length: UInt64) -> Int64 {
        UnsafeMutableRawPointer(bitPattern: UInt(ProcessLayout.memory + start))!
            .copyMemory(
                from: UnsafeRawPointer(bitPattern: UInt(variables + start))!,
                byteCount: Int(length)
            )
        return ProcessMemory.shareVariables(variables + start, length, start)
    }

    // MARK: Operations of the contract

    static func copySpace() -> Int64 { make(beginsEmpty: false) }

    static func createSpace() -> Int64 {
        for number in 0..<Int(HOST_PROCESS_LIMIT) where host_processes.parked_count > 0 {
            guard state(number) == HOST_PROCESS_PARKED else { continue }
            setState(number, HOST_PROCESS_USED)
            host_processes.parked_count -= 1
            return Int64(number)
        }
        return make(beginsEmpty: true)
    }

    static func activate(
        _ space: UInt64,
        _ save: UnsafeMutablePointer<UInt64>,
        _ load: UnsafePointer<UInt64>
    ) {
        process_pass_turn(save, space, load)
    }

    static func releaseSpace(_ space: UInt64) {
        let number = Int(space)
        // Who is not active cannot end by itself, and the first must not.
        let isParked =
            number == 0 || host_processes.parked_count < parkedLimit
            || space != identity.pointee.number
        setState(number, isParked ? HOST_PROCESS_PARKED : HOST_PROCESS_FREE)
        process_is_stale(space).pointee = isParked ? 1 : 0
        if isParked { host_processes.parked_count += 1 }
    }

    /// Ends all host processes: `unirun` does so when the first one ends.
    static func endInstance(_ status: Int32) {
        guard !isFirst else { exit(status) }
        host_processes.status = status
        host_processes.ends = 1
        pass(to: 0)
        exit(0)
    }

    /// Guards a kernel stack while there is one process: each guard is a mapping more that every copy
    /// costs time for, and holds in one process only.
    static func guardPage(_ page: UInt64) -> Int64 {
        host_processes.is_shared == 0 ? ProcessMemory.protect(page, pageSize, 0) : 0
    }

    // MARK: Making and ending

    /// Processes that are kept for the next program; more would only take memory.
    private static var parkedLimit: UInt32 { 4 }

    private static func make(beginsEmpty: Bool) -> Int64 {
        if host_processes.is_shared == 0 {
            let answer = prepareForOthers()
            guard answer >= 0 else { return answer }
            host_processes.is_shared = 1
        }
        guard let number = freeNumber() else { return tryAgain }
        identity.pointee.child = UInt64(number)
        identity.pointee.begins_empty = beginsEmpty ? 1 : 0
        var answer = interrupted
        // Until `unirun` has taken note of it.
        while answer == interrupted {
            count_host_call(UInt64(HostNumber.clone))
            answer = hypercall_clone(UInt64(HostNumber.clone), UInt64(copyOfProcess))
        }
        guard answer > 0 else { return tryAgain }
        setState(number, HOST_PROCESS_USED)
        return Int64(number)
    }

    /// What one process alone needs not: who counts them, shared variables, and a stack to wait on.
    private static func prepareForOthers() -> Int64 {
        tell(.countCopies, descriptor: Int32(truncatingIfNeeded: SystemCallFilter.listener))
        let stack = ProcessMemory.mapAnonymous(
            UInt64(PARKING_STACK),
            UInt64(PARKING_STACK_SIZE),
            PLATFORM_READ.rawValue | PLATFORM_WRITE.rawValue
        )
        return stack < 0 ? stack : shareVariables()
    }

    private static func freeNumber() -> Int? {
        for number in 1..<Int(HOST_PROCESS_LIMIT) where state(number) == HOST_PROCESS_FREE {
            return number
        }
        return nil
    }

    /// The first code of a copy, on the parking stack.
    static func join() -> Never {
        let (option, signal) = setDeathSignal
        _ = callHost(HostNumber.prctl, UInt64(option), UInt64(signal))
        identity.pointee.missed_interrupt = 0
        // It may have ended before it could be told of.
        let hasParent = callHost(HostNumber.getppid) == Int64(ProcessSignals.parent)
        guard hasParent, ProcessTime.start() >= 0 else { exit(1) }
        if identity.pointee.begins_empty != 0 { unmapProgram() }
        process_continue(waitForTurn())
    }

    private static func unmapProgram() {
        let lowest: UInt64 = 0x1_0000
        _ = ProcessMemory.unmap(lowest, ProcessLayout.lowEnd - lowest)
        _ = ProcessMemory.unmap(ProcessLayout.stubs, ProcessLayout.userEnd - ProcessLayout.stubs)
    }

    private static func exit(_ status: Int32) -> Never {
        _ = callHost(HostNumber.exit_group, UInt64(truncatingIfNeeded: status))
        while true {}
    }

    // MARK: The turn

    /// Passes the turn, and gets it back; the stack pointer to go on with.
    static func park(_ target: UInt64, _ load: UnsafePointer<UInt64>) -> UInt64 {
        let own = Int(identity.pointee.number)
        host_processes.load = load
        let ends = state(own) == HOST_PROCESS_FREE && own != 0
        pass(to: UInt32(truncatingIfNeeded: target))
        if ends { exit(0) }
        dropStalePages()
        return waitForTurn()
    }

    private static func pass(to number: UInt32) {
        let sleeps = process_sleep_word(UInt64(number))
        store_shared(&host_processes.turn, number)
        guard exchange_shared(sleeps, 0) != 0 else { return }
        let wake: UInt64 = 1
        _ = callHost(HostNumber.futex, address(sleeps), wake, 1)
    }

    private static func waitForTurn() -> UInt64 {
        let sleeps = process_sleep_word(identity.pointee.number)
        if spins { spin() }
        while !hasTurn {
            store_shared(sleeps, 1)
            guard !hasTurn else { break }
            let wait: UInt64 = 0
            _ = callHost(HostNumber.futex, address(sleeps), wait, 1, 0)
        }
        store_shared(sleeps, 0)
        if host_processes.ends != 0 { exit(host_processes.status) }
        dropStalePages()
        if identity.pointee.missed_interrupt != 0 {
            identity.pointee.missed_interrupt = 0
            cpu_set_pending(UInt32(CPU_PENDING_TIMER))
        }
        kernel_space_entered()
        return host_processes.load!.pointee
    }

    /// Whether the turn may come while this process looks for it: there are two processors and more.
    nonisolated(unsafe) static var spins = false

    /// Waits a while for the turn, as putting a process to sleep and waking it takes longer.
    private static func spin() {
        let end = cycle_counter() &+ spinCycles
        while !hasTurn, cycle_counter() < end { spin_pause() }
    }

    /// About 20 µs.
    private static var spinCycles: UInt64 { 50_000 }

    /// Unmaps what was mapped in an address space that was given up. By the process itself, when it
    /// likes: it does so before it shows another.
    private static func dropStalePages() {
        let isStale = process_is_stale(identity.pointee.number)
        guard isStale.pointee != 0 else { return }
        unmapProgram()
        isStale.pointee = 0
    }

    // MARK: Signals

    /// The timer's interrupt came and another has the turn.
    static func missInterrupt() { identity.pointee.missed_interrupt = 1 }

    /// Has `unirun` interrupt all but the first, one of which has the turn.
    static func interruptOthers() { tell(.interruptOthers) }

    /// Tells `unirun` something that it does not answer.
    private static func tell(_ operation: ControlMessage.Operation, descriptor: Int32 = 0) {
        var message = InlineArray<16, UInt64>(repeating: 0)
        message[0] = UInt64(operation.rawValue) | UInt64(UInt32(bitPattern: descriptor)) << 32
        var segment = (address(&message), UInt64(ControlMessage.encodedSize))
        let control = UInt64(HostDescriptor.control.rawValue)
        _ = callHost(HostNumber.writev, control, address(&segment), 1)
    }

    // MARK: By number

    private static func state(_ number: Int) -> host_process_state {
        host_process_state(rawValue: UInt32(process_state(UInt64(number)).pointee))
    }

    private static func setState(_ number: Int, _ state: host_process_state) {
        process_state(UInt64(number)).pointee = UInt8(state.rawValue)
    }
}

@c(process_join)
func processJoin() { HostProcesses.join() }

@c(process_park)
func processPark(_ target: UInt64, _ load: UnsafePointer<UInt64>) -> UInt64 {
    HostProcesses.park(target, load)
}
