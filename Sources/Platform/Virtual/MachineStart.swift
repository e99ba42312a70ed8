import Platform

/// The first code in 64 bits: prepares the processor and tells the kernel what the machine has.
@c(machine_start)
public func machineStart(_ magic: UInt32, _ information: UInt32) {
    let loader = BootLoader(magic: magic, information: information)
    LastWords.commandLine = loader.commandLine
    guard !loader.module.isEmpty else {
        die("this is unirun's kernel: boot it by `unirun --platform vm PROGRAM`")
    }
    prepareProcessor()
    prepareMemory(loader)
    if Images.hasOwnTerminal { Power.find(loader.systemDescription) }
    InterruptController.start()
    MachineTime.start()
    MachineDevices.start(loader.commandLine)
    kernel_start(machine_boot_information(), &operations)
}

nonisolated(unsafe) private var operations = platform_operations(
    read_clock: { MachineTime.readClock($0) },
    set_timer: { MachineTime.setTimer($0) },
    map_anonymous: { AddressTranslation.mapAnonymous($0, $1, $2) },
    map_memory: { AddressTranslation.mapMemory($0, $1, $2, $3, $4) },
    map_image: { AddressTranslation.mapImage($0, $1, $2, $3, $4) },
    unmap: { AddressTranslation.unmap($0, $1) },
    protect: { AddressTranslation.protect($0, $1, $2) },
    move: { AddressTranslation.move($0, $1, $2, $3) },
    discard: { AddressTranslation.discard($0, $1) },
    resident: { AddressTranslation.resident($0, $1, $2) },
    resident_size: { Int64(PageFrames.resident << 12) },
    largest_resident_size: { Int64(PageFrames.mostResident << 12) },
    space_copy: { Spaces.copy() },
    space_create: { Spaces.create() },
    space_switch: { Spaces.activate($0, $1, $2) },
    space_release: { Spaces.release($0) },
    space_trim: { Spaces.trim() },
    release_memory: { FreePages.release($0, $1) },
    guard_page: { Physical.guardPage($0) },
    read_image: { Images.read($0, $1, $2, $3) },
    count_instructions: { InstructionCount.count(from: $0, to: $1) },
    stream_read: { MachineStreams.read($0, $1, $2) },
    stream_write: { MachineStreams.write($0, $1, $2) },
    wait: { MachineStreams.wait($0, $1, $2) },
    disk_describe: { Disks.describe($0, $1) },
    disk_read: { Disks.read($0, $1, $2, $3) },
    disk_write: { Disks.write($0, $1, $2, $3) },
    disk_flush: { Disks.flush($0) },
    disk_discard: { Disks.discard($0, $1, $2) },
    files_describe: { FileServers.describe($0, $1) },
    files_ask: { FileServers.ask($0, $1) },
    card_describe: { Card.describe($0) },
    card_receive: { Card.receive($0) },
    card_room: { Card.room() },
    card_send: { Card.send($0) },
    exit: { MachineStreams.end($0) }
)

private var information: UnsafeMutablePointer<boot_information> { machine_boot_information() }

// MARK: The processor

private func prepareProcessor() {
    information.pointee.version = UInt32(PLATFORM_VERSION)
    information.pointee.world = PLATFORM_VIRTUAL.rawValue
    information.pointee.user_start = 0x8000_0000
    information.pointee.user_end = UInt64(DIRECT_MAP)
    information.pointee.processors = 1
    boot_cpu.code_selector = UInt64(MACHINE_CODE_SELECTOR)
    boot_cpu.stack_selector = UInt64(MACHINE_STACK_SELECTOR)
    let base: UInt32 = 0xc000_0101  // IA32_GS_BASE
    machine_register_write(base, UInt64(UInt(bitPattern: cpu_current())))
    prepareFeatures()
    prepareSystemCalls()
    machine_load_descriptors()
}

/// Turns on what programs use (SDM volume 3, section 2.5 and 13.5).
private func prepareFeatures() {
    let basic = processor_leaf(1, 0)
    let hasXsave = basic.ecx >> 26 & 1 != 0
    let hasSegmentBases = processor_leaf(7, 0).ebx & 1 != 0
    guard hasXsave, hasSegmentBases else {
        die("this processor lacks XSAVE or FSGSBASE; give QEMU a newer one (-cpu max)")
    }
    // QEMU's emulation (7.2) then takes XSAVE's bit of CR4 for reserved, and writes it for ever.
    let isEmulated = processor_leaf(0x4000_0000, 0).ebx == 0x5447_4354  // "TCGT"
    if isEmulated, processor_leaf(13, 1).eax == 0 {
        die("QEMU's processor has XSAVE alone; add +xsaveopt, or give a newer one (-cpu max)")
    }
    let globalPages: UInt64 = 1 << 7
    let vectorUnit: UInt64 = 1 << 9 | 1 << 10
    let segmentBases: UInt64 = 1 << 16
    let xsave: UInt64 = 1 << 18
    control_register4_write(
        control_register4_read() | globalPages | vectorUnit | segmentBases | xsave | guards()
    )
    information.pointee.has_fsgsbase = 1
    let features = processor_leaf(13, 0)
    // What a process has on Linux; memory keys are not offered.
    let offered: UInt64 = 0xe7
    let enabled = (UInt64(features.edx) << 32 | UInt64(features.eax)) & offered
    extended_control_write(enabled)
    information.pointee.xsave_features = enabled
    information.pointee.xsave_size = UInt64(processor_leaf(13, 0).ebx)
    information.pointee.tells_vector_use = UInt64(processor_leaf(13, 1).eax >> 2 & 1)
    information.pointee.hwcap = UInt64(basic.edx)
    information.pointee.hwcap2 = 2
}

/// SMEP and SMAP, as far as there are: no page of a user's is executed, and none is used while the
/// program runs (`Physical.protectImage`).
private func guards() -> UInt64 {
    let offered = processor_leaf(7, 0).ebx
    let executionGuard = UInt64(offered >> 7 & 1) << 20
    guard offered >> 20 & 1 != 0 else { return executionGuard }
    machine_guard_kernel()
    boot_cpu.kernel_flags |= UInt64(ALIGNMENT_FLAG)
    let accessGuard: UInt64 = 1 << 21
    return executionGuard | accessGuard
}

/// Where a `syscall` instruction goes: it stays in ring 0, with interrupts off.
private func prepareSystemCalls() {
    let selectors: UInt32 = 0xc000_0081
    let target: UInt32 = 0xc000_0082
    machine_register_write(selectors, UInt64(MACHINE_CODE_SELECTOR) << 32)
    machine_register_write(target, machine_system_call_address())
    machine_register_write(UInt32(MSR_SYSTEM_CALL_MASK), UInt64(SYSTEM_CALL_MASK))
}

// MARK: Memory

private func prepareMemory(_ loader: BootLoader) {
    let image =
        Physical.address(
            ofImage: entry_places.image
        )..<Physical.address(
            ofImage: entry_places.image_end
        )
    Physical.protectImage()
    Images.find(in: loader.module)
    MachineMemory.find(loader, image: image)
    information.pointee.launch_record = UnsafeRawPointer(
        Physical.pointer(Images.record.lowerBound)
    )
    information.pointee.launch_record_size = UInt64(Images.record.count)
    // SeaBIOS works at the end of memory, with less than this.
    let firmwareMemory: UInt64 = 16 << 20
    let used = loader.hasUsedMemory ? .max : loader.hasFirmware ? firmwareMemory : 0
    let cleared = min(used, MachineMemory.size)
    MachineMemory.clear(MachineMemory.size - cleared, cleared)
    // A word for each frame.
    PageFrames.start(origins: Physical.words(MachineMemory.reserve(MachineMemory.size >> 9)))
    PageTables.use(root: Physical.address(ofImage: machine_tables.root))
    information.pointee.memory = MachineMemory.start
    information.pointee.memory_size = MachineMemory.size
}
