import LinuxABI
import Platform

/// `struct sembuf`
public struct SemaphoreOperation: BitwiseCopyable {
    public var number: UInt16
    public var change: Int16
    public var flags: Int16

    /// IPC_NOWAIT
    var isTry: Bool { flags & 0o4000 != 0 }
    /// SEM_UNDO
    var isUndone: Bool { flags & 0x1000 != 0 }
}

/// A set of System V semaphores: semget(2).
///
/// Who changes a value does the operations of those who waited for it, oldest first, so that nobody who comes
/// later takes it away from them.
final class SemaphoreSet: IPCObject {
    /// SEMVMX
    static let largestValue: Int32 = 32_767
    /// Semaphores of all sets.
    nonisolated(unsafe) static var total = 0

    struct Semaphore {
        var value: Int32 = 0
        /// The process that changed it last.
        var process: Int32 = 0
    }

    let count: Int
    private let semaphores: UnsafeMutablePointer<Semaphore>
    private(set) var operationTime: Int64 = 0
    private var firstWaiter: Unmanaged<SemaphoreWaiter>?
    private var lastWaiter: Unmanaged<SemaphoreWaiter>?
    /// What processes undo when they end.
    private var firstUndo: Unmanaged<SemaphoreUndo>?

    init(key: Int32, count: Int, permissions: UInt32, _ process: Process) throws(Errno) {
        self.count = count
        let size = count * MemoryLayout<Semaphore>.stride
        semaphores = try KernelBuffer.allocateZeroed(size).assumingMemoryBound(to: Semaphore.self)
        super.init(key: key, permissions: permissions, process)
        SemaphoreSet.total += count
    }

    deinit {
        SemaphoreSet.total -= count
        KernelBuffer.free(semaphores)
    }

    subscript(number: Int) -> Semaphore { semaphores[number] }

    // MARK: Operations

    /// What came of an attempt.
    private enum Outcome {
        case done
        /// The operation with this index has to wait.
        case waits(Int)
        case failed(Errno)
    }

    /// As semtimedop(2) until `deadline`; the list is the kernel's copy.
    func operate(
        _ operations: UnsafeBufferPointer<SemaphoreOperation>,
        until deadline: Nanoseconds,
        _ process: Process
    ) throws(Errno) {
        var undo: SemaphoreUndo?
        if operations.contains(where: { $0.isUndone }) { undo = try self.undo(of: process) }
        let waiter: SemaphoreWaiter
        switch attempt(operations, undo, process.id) {
        case .done: return wakeWaiters()
        case .failed(let error): throw error
        case .waits(let index):
            guard !operations[index].isTry else { throw .wouldBlock }
            waiter = SemaphoreWaiter(operations, undo, process.id)
            waiter.blocking = operations[index]
        }
        try wait(waiter, until: deadline)
    }

    private func wait(_ waiter: SemaphoreWaiter, until deadline: Nanoseconds) throws(Errno) {
        add(waiter)
        while !waiter.isDone {
            do throws(Errno) { try waiter.queue.wait(until: deadline) } catch {
                guard !waiter.isDone else { break }
                remove(waiter)
                throw error == .timedOut ? .wouldBlock : error
            }
        }
        if let failure = waiter.failure { throw failure }
    }

    /// Does all operations or none.
    private func attempt(
        _ operations: UnsafeBufferPointer<SemaphoreOperation>,
        _ undo: SemaphoreUndo?,
        _ process: Int32
    ) -> Outcome {
        var outcome = Outcome.done
        var done = 0
        attempts: for operation in operations {
            let place = Int(operation.number)
            let value = semaphores[place].value
            let change = Int32(operation.change)
            if change == 0 ? value != 0 : value + change < 0 {
                outcome = .waits(done)
                break attempts
            }
            let adjusted = operation.isUndone ? (undo?.adjustment(place) ?? 0) - change : 0
            guard value + change <= SemaphoreSet.largestValue,
                adjusted >= -SemaphoreSet.largestValue - 1, adjusted <= SemaphoreSet.largestValue
            else {
                outcome = .failed(.outOfRange)
                break attempts
            }
            semaphores[place].value = value + change
            if operation.isUndone { undo?.setAdjustment(place, adjusted) }
            done += 1
        }
        guard case .done = outcome else {
            takeBack(operations, done, undo)
            return outcome
        }
        for operation in operations { semaphores[Int(operation.number)].process = process }
        operationTime = IPCObject.now()
        return .done
    }

    private func takeBack(
        _ operations: UnsafeBufferPointer<SemaphoreOperation>,
        _ count: Int,
        _ undo: SemaphoreUndo?
    ) {
        for index in 0..<count {
            let operation = operations[count - 1 - index]
            let place = Int(operation.number)
            let change = Int32(operation.change)
            semaphores[place].value -= change
            if operation.isUndone, let undo {
                undo.setAdjustment(place, undo.adjustment(place) + change)
            }
        }
    }

    // MARK: Waiters

    private func add(_ waiter: SemaphoreWaiter) {
        let entry = Unmanaged.passUnretained(waiter)
        waiter.previous = lastWaiter
        if let lastWaiter {
            lastWaiter.takeUnretainedValue().next = entry
        } else {
            firstWaiter = entry
        }
        lastWaiter = entry
    }

    private func remove(_ waiter: SemaphoreWaiter) {
        if let previous = waiter.previous?.takeUnretainedValue() {
            previous.next = waiter.next
        } else {
            firstWaiter = waiter.next
        }
        if let next = waiter.next?.takeUnretainedValue() {
            next.previous = waiter.previous
        } else {
            lastWaiter = waiter.previous
        }
        waiter.next = nil
        waiter.previous = nil
    }

    /// Ends the wait of those whose turn it is, from the first again after each that changed something.
    private func wakeWaiters() {
        var cursor = firstWaiter
        while let waiter = cursor?.takeUnretainedValue() {
            cursor = waiter.next
            switch attempt(waiter.operations, waiter.undo, waiter.process) {
            case .waits(let index):
                waiter.blocking = waiter.operations[index]
                if waiter.blocking.isTry { finish(waiter, .wouldBlock) }
            case .failed(let error): finish(waiter, error)
            case .done:
                finish(waiter, nil)
                cursor = firstWaiter
            }
        }
    }

    private func finish(_ waiter: SemaphoreWaiter, _ failure: Errno?) {
        remove(waiter)
        waiter.failure = failure
        waiter.isDone = true
        waiter.queue.wake()
    }

    /// How many wait for a value to grow, or to become zero.
    func waiterCount(_ number: Int, forZero: Bool) -> Int {
        var found = 0
        var cursor = firstWaiter
        while let waiter = cursor?.takeUnretainedValue() {
            let blocking = waiter.blocking
            if Int(blocking.number) == number, (blocking.change == 0) == forZero { found += 1 }
            cursor = waiter.next
        }
        return found
    }

    // MARK: Undoing

    /// What a process undoes here, made if there is nothing yet.
    private func undo(of process: Process) throws(Errno) -> SemaphoreUndo {
        var cursor = firstUndo
        while let undo = cursor?.takeUnretainedValue() {
            if undo.process === process { return undo }
            cursor = undo.nextOfSet
        }
        let undo = try SemaphoreUndo(self, process)
        let entry = Unmanaged.passRetained(undo)
        undo.nextOfSet = firstUndo
        firstUndo = entry
        undo.nextOfProcess = process.firstSemaphoreUndo
        process.firstSemaphoreUndo = entry
        return undo
    }

    /// Undoes what a process that ends did with SEM_UNDO.
    fileprivate func undo(_ undo: SemaphoreUndo) {
        for number in 0..<count where undo.adjustment(number) != 0 {
            let value = semaphores[number].value + undo.adjustment(number)
            semaphores[number].value = min(max(value, 0), SemaphoreSet.largestValue)
            semaphores[number].process = undo.process.id
        }
        operationTime = IPCObject.now()
        drop(undo)
        wakeWaiters()
    }

    private func drop(_ undo: SemaphoreUndo) {
        let entry = Unmanaged.passUnretained(undo).toOpaque()
        if firstUndo?.toOpaque() == entry {
            firstUndo = undo.nextOfSet
            return
        }
        var cursor = firstUndo
        while let other = cursor?.takeUnretainedValue() {
            if other.nextOfSet?.toOpaque() == entry { other.nextOfSet = undo.nextOfSet }
            cursor = other.nextOfSet
        }
    }

    private func forgetAdjustments(_ numbers: Range<Int>) {
        var cursor = firstUndo
        while let undo = cursor?.takeUnretainedValue() {
            for number in numbers { undo.setAdjustment(number, 0) }
            cursor = undo.nextOfSet
        }
    }

    // MARK: Control

    /// As SETVAL and SETALL, with values that were checked.
    func set(_ values: Range<Int>, _ process: Process, _ value: (Int) -> Int32) {
        for number in values {
            semaphores[number] = Semaphore(value: value(number), process: process.id)
        }
        forgetAdjustments(values)
        changeTime = IPCObject.now()
        wakeWaiters()
    }

    /// Ends everybody's wait: the set is gone.
    func dismiss() {
        while let waiter = firstWaiter?.takeUnretainedValue() { finish(waiter, .identifierRemoved) }
        var cursor = firstUndo
        firstUndo = nil
        while let undo = cursor?.takeUnretainedValue() {
            cursor = undo.nextOfSet
            undo.nextOfSet = nil
            undo.set = nil
        }
    }

    /// `struct semid64_ds`
    struct Status: BitwiseCopyable {
        var permissions: IPCStatus
        var operationTime: Int64
        var unused: UInt64 = 0
        var changeTime: Int64
        var unused2: UInt64 = 0
        var count: UInt64
        var unused3: (UInt64, UInt64) = (0, 0)
    }

    var setStatus: Status {
        Status(
            permissions: status,
            operationTime: operationTime,
            changeTime: changeTime,
            count: UInt64(count)
        )
    }
}

/// A thread that waits for semaphores; it lives on that thread's stack frames.
private final class SemaphoreWaiter {
    let operations: UnsafeBufferPointer<SemaphoreOperation>
    let undo: SemaphoreUndo?
    let process: Int32
    let queue = WaitQueue()
    /// The operation that cannot be done yet.
    var blocking = SemaphoreOperation(number: 0, change: 0, flags: 0)
    var isDone = false
    var failure: Errno?
    var next: Unmanaged<SemaphoreWaiter>?
    var previous: Unmanaged<SemaphoreWaiter>?

    init(
        _ operations: UnsafeBufferPointer<SemaphoreOperation>,
        _ undo: SemaphoreUndo?,
        _ process: Int32
    ) {
        self.operations = operations
        self.undo = undo
        self.process = process
    }
}

/// What a process takes back of one set when it ends: SEM_UNDO. The process owns it.
final class SemaphoreUndo {
    /// nil when the set is gone.
    fileprivate(set) unowned(unsafe) var set: SemaphoreSet?
    unowned(unsafe) let process: Process
    private let adjustments: UnsafeMutablePointer<Int16>
    fileprivate var nextOfSet: Unmanaged<SemaphoreUndo>?
    fileprivate var nextOfProcess: Unmanaged<SemaphoreUndo>?

    init(_ set: SemaphoreSet, _ process: Process) throws(Errno) {
        adjustments = try KernelBuffer.allocateZeroed(set.count * 2)
            .assumingMemoryBound(to: Int16.self)
        self.set = set
        self.process = process
    }

    deinit { KernelBuffer.free(adjustments) }

    func adjustment(_ number: Int) -> Int32 { Int32(adjustments[number]) }

    func setAdjustment(_ number: Int, _ adjustment: Int32) {
        adjustments[number] = Int16(truncatingIfNeeded: adjustment)
    }
}

extension Process {
    /// Takes back what the process did to semaphores with SEM_UNDO, as it ends.
    func undoSemaphores() {
        while let undo = firstSemaphoreUndo {
            let object = undo.takeUnretainedValue()
            firstSemaphoreUndo = object.nextOfProcess
            object.set?.undo(object)
            undo.release()
        }
    }
}
