import Kernel
import LinuxABI
import Platform

/// A number that no table holds.
@c(kernel_unknown_call)
func unknownCall(_ number: UInt64) -> Int64 {
    if Tracer.isOn { Tracer.traceUnknown(number) }
    return -Int64(Errno.notImplemented.rawValue)
}

/// A call whose handler works on the frame.
@c(kernel_frame_call)
func frameCall(_ frame: UnsafeMutablePointer<trap_frame>) {
    let number = Int(UInt32(truncatingIfNeeded: frame.pointee.original_rax))
    guard let handler = SystemCallTable.frameHandler(number) else {
        frame.pointee.rax = UInt64(bitPattern: -Int64(Errno.notImplemented.rawValue))
        return
    }
    let result = Tracer.isOn ? Tracer.traceFrameCall(number, frame, handler) : handler(frame)
    frame.pointee.rax = UInt64(bitPattern: Int64(result))
}

/// Does what is pending before the program runs on. The entry calls it again until nothing is.
@c(kernel_work)
func work(_ frame: UnsafeMutablePointer<trap_frame>) {
    let pending = cpu_take_pending()
    if pending & UInt32(CPU_PENDING_TIMER) != 0 { Scheduler.timerInterrupt() }
    if pending & UInt32(CPU_PENDING_FRAMES) != 0 { Network.takeFrames() }
    if pending & UInt32(CPU_PENDING_DISKS) != 0 { Disks.takeInterrupts() }
    Signals.takeOutsideSignals()
    let thread = Thread.current
    if thread.hasDeferredWork { thread.runDeferred() }
    if thread.restartableSequence.isRegistered { thread.leaveSequence(frame) }
    guard thread.signals.needsAttention || thread.signals.interruptedWait else { return }
    // What the program sees of itself, and goes back to, is its own code and no stub.
    frame.pointee.rip = CaughtCalls.programAddress(frame.pointee.rip)
    Signals.deliver(frame, restart: restartClass(frame))
}

extension Thread {
    /// Sends a thread that was interrupted within a sequence of rseq(2) to its abort handler. In a call it
    /// is in none.
    fileprivate func leaveSequence(_ frame: UnsafeMutablePointer<trap_frame>) {
        guard frame.pointee.original_rax == noSystemCall else { return }
        let place = CaughtCalls.programAddress(frame.pointee.rip)
        do throws(Errno) {
            if let abort = try restartableSequence.abort(at: place) { frame.pointee.rip = abort }
        } catch { Signals.forceSegmentationFault(after: nil) }
    }
}

/// What becomes of the call that the frame comes from, should a signal have interrupted it.
private func restartClass(_ frame: UnsafeMutablePointer<trap_frame>) -> RestartClass {
    let number = UInt32(truncatingIfNeeded: frame.pointee.original_rax)
    guard number < UInt32(SYSTEM_CALL_COUNT) else { return .never }
    return SystemCallTable.row(Int(number))?.restart ?? .never
}

/// A fault of the program becomes a mapped page or a signal.
@c(kernel_exception)
func exception(
    _ frame: UnsafeMutablePointer<trap_frame>,
    _ vector: UInt64,
    _ address: UInt64,
    _ error: UInt64
) {
    var outcome = FaultOutcome.notMapped
    if vector == UInt64(VECTOR_PAGE_FAULT.rawValue) {
        outcome = Process.current.addressSpace.handleFault(address, error: error)
        if outcome == .resolved {
            Counters.programFaults &+= 1
            return
        }
        if outcome == .outOfMemory { return Process.current.killForMemory() }
    }
    Counters.signalFaults &+= 1
    frame.pointee.rip = CaughtCalls.programAddress(frame.pointee.rip)
    // Whether the page is present says nothing: the platform brings pages in when they are touched.
    var error = error & ~UInt64(PAGE_FAULT_PRESENT.rawValue)
    if outcome == .notPermitted { error |= UInt64(PAGE_FAULT_PRESENT.rawValue) }
    Signals.raiseException(
        vector: vector,
        address: address,
        error: error,
        frame: frame,
        outcome: outcome
    )
}

/// The kernel touched the program's memory and faulted: whether the page is there now.
@c(kernel_user_fault)
func userFault(_ address: UInt64, _ error: UInt64) -> UInt64 {
    let visited = AddressSpace.visited
    switch (visited ?? Process.current.addressSpace).handleFault(address, error: error) {
    case .resolved:
        Counters.copyFaults &+= 1
        return 1
    case .outOfMemory where visited == nil:
        // The call fails, and its thread ends on the way out.
        Process.current.killForMemory()
        return 0
    default: return 0
    }
}
