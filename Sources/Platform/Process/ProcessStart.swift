import HostCalls
import Interruption
import LaunchRecord
import Platform

/// The first code that runs in the process world, on the host's stack: maps what the kernel needs,
/// shuts the door behind itself, and starts the kernel. Nothing is allocated here: there is no
/// heap before the kernel makes one.
@c(process_start)
public func processStart(_ stack: UnsafePointer<UInt64>, _ cycles: UInt64) {
    information.pointee.entry_cycles = cycles
    takeAuxiliaryVector(stack)
    prepareProcessor()
    mapFiles()
    prepareVectorState()
    orDie(ProcessSignals.install(), "cannot install signal handlers")
    orDie(ProcessTime.start(), "cannot make a timer")
    let noNewPrivileges: UInt64 = 38
    orDie(callHost(HostNumber.prctl, noNewPrivileges, 1), "cannot give up privileges")
    orDie(SystemCallFilter.install(), "the host refuses the system-call filter (seccomp)")
    kernel_start(process_boot_information(), &operations)
}

nonisolated(unsafe) private var operations = platform_operations(
    read_clock: { ProcessTime.readClock($0) },
    set_timer: { ProcessTime.setTimer($0) },
    map_anonymous: { ProcessMemory.mapAnonymous($0, $1, $2) },
    map_memory: { ProcessMemory.mapMemory($0, $1, $2, $3, $4) },
    map_image: { ProcessMemory.mapImage($0, $1, $2, $3, $4) },
    unmap: { ProcessMemory.unmap($0, $1) },
    protect: { ProcessMemory.protect($0, $1, $2) },
    move: { ProcessMemory.move($0, $1, $2, $3) },
    discard: { ProcessMemory.discard($0, $1) },
    resident: { ProcessMemory.resident($0, $1, $2) },
    resident_size: { -38 },
    largest_resident_size: { ProcessMemory.largestResidentSize() },
    space_copy: { HostProcesses.copySpace() },
    space_create: { HostProcesses.createSpace() },
    space_switch: { HostProcesses.activate($0, $1, $2) },
    space_release: { HostProcesses.releaseSpace($0) },
    space_trim: {},
    release_memory: { ProcessMemory.releaseMemory($0, $1) },
    guard_page: { HostProcesses.guardPage(address($0)) },
    read_image: { ProcessMemory.readImage($0, $1, $2, $3) },
    count_instructions: { _, _ in -38 },
    stream_read: { ProcessStreams.read($0, $1, $2) },
    stream_write: { ProcessStreams.write($0, $1, $2) },
    wait: { ProcessStreams.wait($0, $1, $2) },
    // A process has none.
    disk_describe: { _, _ in -19 },
    disk_read: { _, _, _, _ in -19 },
    disk_write: { _, _, _, _ in -19 },
    disk_flush: { _ in -19 },
    disk_discard: { _, _, _ in -19 },
    files_describe: { ProcessFolders.describe($0, $1) },
    files_ask: { ProcessFolders.ask($0, $1) },
    card_describe: { _ in -19 },
    card_receive: { _ in -19 },
    card_room: { nil },
    card_send: { _ in },
    exit: { HostProcesses.endInstance($0) }
)

private var information: UnsafeMutablePointer<boot_information> { process_boot_information() }

/// Reads what the host says of itself from the words above the environment: getauxval(3).
private func takeAuxiliaryVector(_ stack: UnsafePointer<UInt64>) {
    var cursor = stack + Int(stack[0]) + 2
    while cursor.pointee != 0 { cursor += 1 }
    cursor += 1
    while cursor[0] != 0 {
        switch cursor[0] {
        case 16: information.pointee.hwcap = cursor[1]
        case 26: information.pointee.hwcap2 = cursor[1]
        case 33: HostVDSO.find(at: cursor[1])
        // AT_MINSIGSTKSZ: a signal frame holds an xsave area of all features, and little else.
        case 51: information.pointee.xsave_size = cursor[1]
        default: break
        }
        cursor += 2
    }
}

private func prepareProcessor() {
    information.pointee.version = UInt32(PLATFORM_VERSION)
    information.pointee.world = PLATFORM_PROCESS.rawValue
    information.pointee.user_start = ProcessLayout.userStart
    information.pointee.user_end = ProcessLayout.userEnd
    information.pointee.processors = 1
    information.pointee.timer_is_of_space = 1
    information.pointee.user_clock.host_clock = ProcessTime.hostClock
    information.pointee.has_fsgsbase = information.pointee.hwcap2 >> 1 & 1
    selectors_read(&boot_cpu.code_selector, &boot_cpu.stack_selector)
    // %gs is the kernel's; the program's own thread pointer is %fs.
    let setGS: UInt64 = 0x1001
    orDie(
        callHost(HostNumber.arch_prctl, setGS, address(cpu_current())),
        "cannot set the processor's base register"
    )
    guard information.pointee.has_fsgsbase != 0 else {
        die("this processor or host kernel lacks FSGSBASE; Linux 5.9 or newer is needed")
    }
}

private func mapFiles() {
    let record = ProcessMemory.mapFile(
        .launchRecord,
        at: ProcessLayout.launchRecord,
        isWritable: false
    )
    guard record > 0 else { die("this is unirun's kernel: run it by `unirun PROGRAM`") }
    information.pointee.launch_record = UnsafeRawPointer(
        bitPattern: UInt(ProcessLayout.launchRecord)
    )!
    information.pointee.launch_record_size = UInt64(record)
    takeRecord(
        UnsafeRawBufferPointer(start: information.pointee.launch_record, count: Int(record))
    )

    let memory = ProcessMemory.mapFile(.memory, at: ProcessLayout.memory, isWritable: true)
    guard memory > 0 else { die("cannot map the memory") }
    guard UInt64(memory) > HostProcesses.variablesSize else {
        die("the machine has too little memory to start; give more with --memory")
    }
    information.pointee.memory = UnsafeMutableRawPointer(
        bitPattern: UInt(ProcessLayout.memory &+ HostProcesses.variablesSize)
    )!
    information.pointee.memory_size = UInt64(memory) & ~0xfff &- HostProcesses.variablesSize
    orDie(HostProcesses.shareProcessor(), "cannot map the processor's page")

    orDie(ProcessFolders.start(), "cannot map memory for folders of the host")
    // Either may be absent: a program from the root image, or no root image.
    _ = ProcessMemory.openImage(PLATFORM_IMAGE_PROGRAM, .program)
    _ = ProcessMemory.openImage(PLATFORM_IMAGE_ROOT, .rootImage)
    orDie(ProcessMemory.mapSignalStack(), "cannot map the signal stack")
}

/// The items that are the platform's; the kernel finds a broken record itself.
private func takeRecord(_ record: UnsafeRawBufferPointer) {
    guard var reader = try? LaunchRecordReader(record) else { return }
    while let item = try? reader.next() {
        switch item.kind {
        case .randomSeed:
            withUnsafeMutableBytes(of: &information.pointee.random_seed) {
                $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: item.payload.prefix($0.count)))
            }
        case .volume: ProcessFolders.count += 1
        case .tellsVectorUse where item.payload.count == 8:
            tellsVectorUse = item.payload.loadUnaligned(as: UInt64.self)
        case .options where item.payload.count == 8:
            takeOptions(LaunchOptions(rawValue: item.payload.loadUnaligned(as: UInt64.self)))
        default: break
        }
    }
}

/// As the launch record has it; nil when it does not say.
nonisolated(unsafe) private var tellsVectorUse: UInt64?

/// CPUID is asked only for what nobody told: in a virtual machine each time costs as much as a
/// hundred system calls.
private func prepareVectorState() {
    information.pointee.xsave_features = enabled_vector_features()
    if information.pointee.xsave_size == 0 {
        information.pointee.xsave_size = UInt64(processor_leaf(0xd, 0).ebx)
    }
    information.pointee.tells_vector_use =
        tellsVectorUse ?? UInt64(processor_leaf(0xd, 1).eax >> 2 & 1)
}

private func takeOptions(_ options: LaunchOptions) {
    HostProcesses.spins = options.contains(.severalProcessors)
    guard options.contains(.slowClock) else { return }
    orDie(HostVDSO.replaceBySystemCall(), "cannot map the slow clock")
    information.pointee.user_clock.host_clock = ProcessTime.hostClock
}

private func orDie(_ answer: Int64, _ message: StaticString) {
    guard answer < 0 else { return }
    die(message)
}

/// Ends before there is a kernel: one line, and docker's status for its own failure.
func die(_ message: StaticString) -> Never {
    writeError("unirun: ")
    writeError(message)
    writeError("\n")
    _ = callHost(HostNumber.exit_group, 125)
    while true {}
}

func writeHexadecimal(_ value: UInt64) {
    var digits = Interruption.digits(value)
    var segment = (address(&digits), UInt64(16))
    let standardError: UInt64 = 2
    _ = callHost(HostNumber.writev, standardError, address(&segment), 1)
}

func writeError(_ text: StaticString) {
    var segment = (address(text.utf8Start), UInt64(text.utf8CodeUnitCount))
    let standardError: UInt64 = 2
    _ = callHost(HostNumber.writev, standardError, address(&segment), 1)
}
