import Glibc
import Platform

/// Stands in for the world in hosted tests: a clock that moves when told, memory of its own, an
/// address space for the program that is a window of the test process's.
///
/// The kernel's state is global, so one test at a time has it: begin with `exclusive`.
public enum FakePlatform {
    /// Nanoseconds that every clock shows; a wait with a deadline moves it there.
    nonisolated(unsafe) public static var time: UInt64 = 1_000_000_000
    nonisolated(unsafe) public static var timerDeadline = UInt64.max

    /// What the program wrote to each stream, and what is to be read from it.
    nonisolated(unsafe) public static var output: [Int32: [UInt8]] = [:]
    nonisolated(unsafe) public static var input: [Int32: [UInt8]] = [:]
    /// Contents of the images by number.
    nonisolated(unsafe) public static var images: [UInt32: FakeImage] = [:]
    /// The machine's disks by number; the test's own to set before the kernel starts.
    nonisolated(unsafe) public static var disks: [FakeDisk] = []
    /// The machine's servers of files by number: what each answers to a request, nil for an error.
    nonisolated(unsafe) public static var fileServers: [([UInt8]) -> [UInt8]?] = []
    /// The machine's network card, if it has one.
    nonisolated(unsafe) public static var card: FakeCard?
    /// Calls to the operations on the program's memory, for tests that count them.
    nonisolated(unsafe) public static var mappingCalls = 0
    /// Bytes given back by `release_memory`.
    nonisolated(unsafe) public static var releasedBytes: UInt64 = 0

    /// The address spaces there are, the one that is active, and how many there may be.
    nonisolated(unsafe) public static var spaces: Set<UInt64> = [0]
    nonisolated(unsafe) public static var activeSpace: UInt64 = 0
    nonisolated(unsafe) public static var spaceLimit = Int.max
    /// `kernel_space_entered`, which the platform cannot name: the kernel's tests set it.
    nonisolated(unsafe) public static var enterSpace: () -> Void = {}

    /// Waits in this world that only the clock could end, and how many a test may make.
    nonisolated(unsafe) static var waits = 0
    static let waitLimit = 100_000
    /// What happens outside while the kernel waits for something; it may set what is pending.
    nonisolated(unsafe) public static var whileWaiting: () -> Void = {}
    /// Called when the kernel waits for what cannot come.
    nonisolated(unsafe) public static var endlessWait: () -> Void = endWaitingTest
    private static let endWaitingTest: () -> Void = { fatalError("the test waits for ever") }

    public static let memorySize: UInt64 = 64 << 20
    public static let userStart: UInt64 = 0x8000_0000
    public static let userEnd: UInt64 = 0x1000_0000_0000

    nonisolated(unsafe) public private(set) static var information =
        UnsafeMutablePointer<boot_information>.allocate(capacity: 1)
    nonisolated(unsafe) public private(set) static var operations =
        UnsafeMutablePointer<platform_operations>.allocate(capacity: 1)

    nonisolated(unsafe) static var memoryDescriptor: Int32 = -1
    nonisolated(unsafe) private static var memory: UnsafeMutableRawPointer! = nil
    nonisolated(unsafe) private static let lock: UnsafeMutablePointer<pthread_mutex_t> = {
        let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        return lock
    }()

    /// Runs `body` with a fresh world that nobody else uses meanwhile.
    public static func exclusive<Result>(_ body: () throws -> Result) rethrows -> Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        start()
        return try body()
    }

    /// Makes the world as it is after boot: memory zero, nothing mapped, no output.
    public static func start() {
        time = 1_000_000_000
        // A cycle is a nanosecond here.
        hosted_cycle_counter = { FakePlatform.time }
        timerDeadline = .max
        output = [:]
        input = [:]
        mappingCalls = 0
        releasedBytes = 0
        spaces = [0]
        activeSpace = 0
        spaceLimit = .max
        waits = 0
        endlessWait = endWaitingTest
        for image in images.values { close(image.descriptor) }
        images = [:]
        disks = []
        fileServers = []
        card = nil
        whileWaiting = {}
        startMemory()
        reserveUserWindow()
        fillInformation()
        operations.initialize(to: fakeOperations())
        user_low_end = 0x7000_0000
        user_high_start = 0x7000_0000
        user_high_end = 1 << 47
    }

    private static func startMemory() {
        if memoryDescriptor < 0 {
            memoryDescriptor = createMemoryFile("machine memory", 0)
            ftruncate(memoryDescriptor, Int(memorySize))
            memory = mmap(
                nil,
                Int(memorySize),
                PROT_READ | PROT_WRITE,
                MAP_SHARED,
                memoryDescriptor,
                0
            )
        }
        // Punching everything out makes it zero again.
        precondition(madvise(memory, Int(memorySize), MADV_REMOVE) == 0)
    }

    private static func fillInformation() {
        let size = MemoryLayout<boot_information>.size
        UnsafeMutableRawPointer(information).initializeMemory(
            as: UInt8.self,
            repeating: 0,
            count: size
        )
        information.pointee.version = UInt32(PLATFORM_VERSION)
        information.pointee.world = PLATFORM_FAKE.rawValue
        information.pointee.launch_record = UnsafeRawPointer(memory)
        information.pointee.memory = memory
        information.pointee.memory_size = memorySize
        information.pointee.user_start = userStart
        information.pointee.user_end = userEnd
        information.pointee.processors = 1
        information.pointee.xsave_size = 1088
        information.pointee.xsave_features = 7
        information.pointee.has_fsgsbase = 1
        withUnsafeMutableBytes(of: &information.pointee.random_seed) { bytes in
            for index in bytes.indices { bytes[index] = UInt8(index + 1) }
        }
    }
}

/// An image that pages can be mapped from.
public struct FakeImage {
    let descriptor: Int32

    public init(_ bytes: [UInt8]) {
        descriptor = createMemoryFile("image", 0)
        let descriptor = descriptor
        let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        precondition(written == bytes.count)
    }
}

/// memfd_create(2), which Glibc's module leaves out.
@_silgen_name("memfd_create")
func createMemoryFile(_ name: UnsafePointer<CChar>, _ flags: UInt32) -> Int32
