import LinuxABI
import Platform

/// Takes an object that lives for ever out of reference counting, so that a reference to it costs
/// no locked instruction.
@discardableResult
func immortal<Object: AnyObject>(_ object: Object) -> Object {
    let reference = Unmanaged.passRetained(object)
    #if hasFeature(Embedded)
        // The second word of an object is its count; this value is the one that is never changed.
        reference.toOpaque().storeBytes(of: Int.max, toByteOffset: 8, as: Int.self)
    #endif
    return object
}

/// The threads that run, by number, and those that wait to be used again.
public enum ThreadTable {
    /// As /proc/sys/kernel/threads-max.
    public static let capacity = 32_768
    /// As /proc/sys/kernel/pid_max; below the futex words' FUTEX_TID_MASK.
    public static let highestID: Int32 = 4_194_304

    private static let bucketCount = 256

    nonisolated(unsafe) private static var buckets: UnsafeMutablePointer<Lent<Thread>>! = nil
    /// An xsave area in which all features are initial.
    nonisolated(unsafe) static var initialVectorState: UnsafeMutableRawPointer! = nil
    nonisolated(unsafe) private static var free = Lent<Thread>(wrappedValue: nil)
    nonisolated(unsafe) private static var lastID: Int32 = Process.kernelID
    nonisolated(unsafe) public private(set) static var count = 0

    /// Called once at the start.
    static func start() {
        buckets = .allocate(capacity: bucketCount)
        buckets.initialize(repeating: Lent(wrappedValue: nil), count: bucketCount)
        free.wrappedValue = nil
        initialVectorState = .allocate(byteCount: Thread.vectorStateSize, alignment: 64)
        initialVectorState.makeInitialVectorState()
        lastID = Process.kernelID
        count = 0
    }

    /// The thread with a number, as gettid(2) tells it.
    public static func thread(_ id: Int32) -> Thread? {
        var cursor = buckets[bucket(id)]
        while let thread = cursor.wrappedValue, thread.id != id {
            cursor.wrappedValue = thread.nextInTable
        }
        return cursor.wrappedValue
    }

    /// Takes a thread out of the pool and gives it a number.
    static func take() throws(Errno) -> Thread {
        guard count < capacity else { throw .wouldBlock }
        let thread: Thread
        if let pooled = free.wrappedValue {
            free.wrappedValue = pooled.nextFree
            pooled.nextFree = nil
            thread = pooled
        } else {
            thread = try KernelHeap.countingAsPooled(make)
        }
        thread.id = nextID()
        insert(thread)
        return thread
    }

    /// Puts a thread back. It may still be running on its stack: nothing is taken from the pool
    /// before it has given the processor away.
    static func put(_ thread: Thread) {
        remove(thread)
        thread.nextFree = free.wrappedValue
        free.wrappedValue = thread
    }

    /// Gives a thread another number, as execve(2) does to the thread that survives.
    static func renumber(_ thread: Thread, _ id: Int32) {
        remove(thread)
        thread.id = id
        insert(thread)
    }

    private static func insert(_ thread: Thread) {
        let index = bucket(thread.id)
        thread.nextInTable = buckets[index].wrappedValue
        buckets[index].wrappedValue = thread
        count += 1
    }

    private static func remove(_ thread: Thread) {
        let index = bucket(thread.id)
        count -= 1
        guard buckets[index].wrappedValue !== thread else {
            buckets[index].wrappedValue = thread.nextInTable
            return
        }
        var cursor = buckets[index]
        while let previous = cursor.wrappedValue {
            guard previous.nextInTable !== thread else {
                previous.nextInTable = thread.nextInTable
                return
            }
            cursor.wrappedValue = previous.nextInTable
        }
    }

    private static func bucket(_ id: Int32) -> Int {
        Int(UInt32(bitPattern: id)) & (bucketCount - 1)
    }

    private static func nextID() -> Int32 {
        repeat {
            lastID = lastID >= highestID ? Process.kernelID + 1 : lastID + 1
        } while thread(lastID) != nil || ProcessTable.process(lastID) != nil
        return lastID
    }

    private static func make() throws(Errno) -> Thread {
        let size = Thread.vectorAreaSize
        // Whole pages, and one below them that faults when the stack is used up.
        guard let pages = kernel_allocate(Thread.kernelStackSize + 2 * pageSize) else {
            throw .noMemory
        }
        guard let room = kernel_allocate(size + 64) else {
            kernel_free(pages)
            throw .noMemory
        }
        let guardPage = pages.alignedUp(toMultipleOf: pageSize)
        do throws(Errno) { try checked(machine.pointee.guard_page(guardPage)) } catch {
            kernel_free(pages)
            kernel_free(room)
            throw error
        }
        let stack = guardPage + pageSize
        let vectorState = room.alignedUp(toMultipleOf: 64)
        vectorState.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        let thread = immortal(Thread(kernelStack: stack, vectorState: vectorState))
        immortal(thread.signals)
        immortal(thread.sleepTimer)
        return thread
    }

}

// MARK: Contexts

extension Thread {
    /// Creates a thread of a process. It runs when its context is prepared and it is enqueued.
    static func create(in process: Process) throws(Errno) -> Thread {
        let thread = try ThreadTable.take()
        thread.process = process
        thread.state = .blocked
        thread.resetForUse()
        process.add(thread)
        return thread
    }

    private func resetForUse() {
        name = ThreadName()
        saved.pointee.threadPointer = 0
        kernelBody = nil
        isInterruptible = false
        wakeReason = .event
        startedRunning = 0
        processorTime = 0
        uncountedCycles = 0
        voluntarySwitches = 0
        involuntarySwitches = 0
        storesID = 0
        clearOnExit = 0
        robustList = 0
        restartableSequence = RestartableSequence()
        signals.reset()
        saved.pointee.resetVectorState()
    }

    /// Lets the thread begin in the program with the registers in `frame`.
    func prepareToEnterProgram() {
        let begin: @convention(c) () -> Void = frame_return
        prepareStack(UnsafeMutableRawPointer(frame), begin: begin, argument: 0)
    }

    /// Lets a thread of the kernel begin with `body`; the thread ends when it returns.
    func prepareToRun(_ body: @escaping () -> Void) {
        kernelBody = body
        // The host's thread-local data in hosted tests; nothing in the guest.
        saved.pointee.threadPointer = thread_pointer_read()
        let begin: @convention(c) () -> Void = kernel_thread_start
        let run: @convention(c) () -> Void = runKernelBody
        prepareStack(
            // Below the trap frame, which the body may fill for the program.
            kernelStackTop - 256,
            begin: begin,
            argument: UInt64(UInt(bitPattern: pointer(run)))
        )
    }

    /// Lays out what `context_switch` pops: six registers, then where to go on.
    private func prepareStack(
        _ top: UnsafeMutableRawPointer,
        begin: @convention(c) () -> Void,
        argument: UInt64
    ) {
        let words = top.assumingMemoryBound(to: UInt64.self) - 7
        for index in 0..<6 { words[index] = 0 }
        words[4] = argument  // %rbx
        words[5] = 0  // %rbp
        // context_switch pops r15, r14, r13, r12, rbx, rbp.
        words[6] = UInt64(UInt(bitPattern: pointer(begin)))
        saved.pointee.stackPointer = UInt64(UInt(bitPattern: words))
    }

    private func pointer(_ function: @convention(c) () -> Void) -> UnsafeRawPointer {
        unsafeBitCast(function, to: UnsafeRawPointer.self)
    }
}

/// The first function of a thread of the kernel.
private func runKernelBody() {
    let body = Thread.current.kernelBody
    Thread.current.kernelBody = nil
    body?()
    Thread.endCurrent()
}
