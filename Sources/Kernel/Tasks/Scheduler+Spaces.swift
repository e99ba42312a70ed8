import LinuxABI
import Platform

/// Switching between address spaces.
extension Scheduler {
    /// The platform's space that a thread runs in, unless it is active.
    static func inactiveSpace(of thread: Thread) -> UInt64? {
        guard let number = thread.process?.addressSpace?.platformSpace.number,
            number != PlatformSpace.active
        else { return nil }
        return number
    }

    /// Keeps what was asked for with the space that is left, if that is still to come.
    static func leaveTimer(of space: AddressSpace?) {
        let hasCome = cpu_current().pointee.pending & UInt32(CPU_PENDING_TIMER) != 0
        space?.armedTimer = hasCome ? ArmedTimer() : armed
    }

    /// Goes on in another space where `load` was saved; returns when `save` is gone on with.
    static func enter(
        _ space: UInt64,
        _ save: UnsafeMutablePointer<UInt64>,
        _ load: UnsafeMutablePointer<UInt64>
    ) {
        PlatformSpace.active = space
        machine.pointee.space_switch(space, save, load)
    }

    /// Goes on with the current thread in its process's space, which was replaced.
    static func enterOwnSpace() {
        let thread = Thread.current
        guard let space = inactiveSpace(of: thread) else { return }
        thread.saved.pointee.takeVectorState()
        thread.saved.pointee.threadPointer = thread_pointer_read()
        let place = thread.saved.pointer(to: \.stackPointer)!
        enter(space, place, place)
    }

    /// Runs `body`, which must not wait, where another address space is shown; the current thread goes
    /// on there with its kernel stack, as nothing of that is the space's.
    static func visit(_ space: AddressSpace, _ body: () -> Void) {
        let thread = Thread.current
        guard let number = space.platformSpace.number, let home = PlatformSpace.active,
            number != home
        else { return body() }
        thread.saved.pointee.takeVectorState()
        thread.saved.pointee.threadPointer = thread_pointer_read()
        leaveTimer(of: thread.process.addressSpace)
        AddressSpace.visited = space
        let place = thread.saved.pointer(to: \.stackPointer)!
        enter(number, place, place)
        body()
        leaveTimer(of: space)
        AddressSpace.visited = nil
        enter(home, place, place)
    }

    /// The current thread's space was activated for it, or the one that it visits.
    static func spaceEntered() {
        let thread = Thread.current
        thread.saved.pointee.loadVectorState()
        thread_pointer_write(thread.saved.pointee.threadPointer)
        let space = AddressSpace.visited ?? thread.process?.addressSpace
        space?.makeOverdueChanges()
        if boot.pointee.timer_is_of_space != 0 { armed = space?.takeArmedTimer() ?? ArmedTimer() }
        armTimer()
    }
}

@c(kernel_space_entered)
func spaceEntered() { Scheduler.spaceEntered() }

/// The interrupt that was last asked for: when it is due, by the monotonic clock and as a count of cycles.
struct ArmedTimer {
    var deadline = Nanoseconds.never
    var cycles = UInt64.max
}

extension AddressSpace {
    /// What was asked for when the space was left; nothing when that is past.
    fileprivate func takeArmedTimer() -> ArmedTimer {
        let timer = armedTimer
        armedTimer = ArmedTimer()
        return timer.cycles > cycle_counter() ? timer : ArmedTimer()
    }
}
