import FakePlatform
import LinuxABI
import Platform
import Testing

@testable import Kernel

/// A kernel with one process whose threads are closures.
final class TaskMachine {
    let process: Process
    /// How the process ended.
    nonisolated(unsafe) static var ending: Kernel.ExitStatus?
    nonisolated(unsafe) private static var testThread: Thread?
    /// Memory that threads may use as the program's.
    let memory: UnsafeMutableRawPointer
    static let memorySize = 64 << 10

    private init(_ process: Process) {
        self.process = process
        memory = .allocate(byteCount: TaskMachine.memorySize, alignment: 4096)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: TaskMachine.memorySize)
    }

    deinit { memory.deallocate() }

    /// The address of a word of `memory`.
    func address(_ word: Int) -> UInt { UInt(bitPattern: memory) + UInt(word * 4) }

    func word(_ index: Int) -> UInt32 { memory.load(fromByteOffset: index * 4, as: UInt32.self) }

    func setWord(_ index: Int, _ value: UInt32) {
        memory.storeBytes(of: value, toByteOffset: index * 4, as: UInt32.self)
    }

    /// Runs `first` as the first thread of a process, until all threads have ended.
    static func run(_ first: @escaping (TaskMachine) -> Void) -> Kernel.ExitStatus? {
        withMachine {
            user_low_end = 1 << 47
            FakePlatform.information.pointee.xsave_size = UInt64(processor_leaf(13, 0).ebx)
            FakePlatform.information.pointee.xsave_features = enabled_vector_features()
            TimerQueue.start()
            Streams.start()
            Tasks.start()
            testThread = Thread.current
            ending = nil
            Tasks.endOfLast = { status in
                TaskMachine.ending = status
                Scheduler.wake(TaskMachine.testThread!)
            }
            FakePlatform.endlessWait = {
                Issue.record("threads are left that nothing will ever wake")
                Scheduler.wake(TaskMachine.testThread!)
            }
            guard let (process, thread) = try? Process.create() else { return nil }
            process.addressSpace = AddressSpace()
            let machine = TaskMachine(process)
            thread.prepareToRun { first(machine) }
            Scheduler.enqueue(thread)
            try? Scheduler.block(until: .never, isInterruptible: false)
            return ending
        }
    }

    /// Starts another thread of the process.
    @discardableResult
    func start(_ body: @escaping () -> Void) -> Thread {
        guard let thread = try? Tasks.runInKernel(in: process, body) else {
            fatalError("no room for another thread")
        }
        return thread
    }

    func attempt<Value>(_ body: () throws(Errno) -> Value) -> Result<Value, Errno> {
        do throws(Errno) { return .success(try body()) } catch { return .failure(error) }
    }
}
