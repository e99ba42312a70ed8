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

    /// The current thread's space was activated for it.
    static func spaceEntered() {
        let thread = Thread.current
        thread.saved.pointee.loadVectorState()
        thread_pointer_write(thread.saved.pointee.threadPointer)
        thread.process?.addressSpace?.makeOverdueChanges()
        // Where spaces are processes of the host, each has a timer of its own.
        forgetArmed()
        armTimer()
    }
}

@c(kernel_space_entered)
func spaceEntered() { Scheduler.spaceEntered() }
