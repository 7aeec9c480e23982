#include "support/fault_vfs.hpp"

#include <sqlite3.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace clawws::test {

namespace {

// A file of this VFS: its head, then the system's own file.
struct FaultFile {
  sqlite3_file base;
  FaultVfs* faults;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

FaultFile* self(sqlite3_file* file) {
  return reinterpret_cast<FaultFile*>(file);
}
sqlite3_file* real(sqlite3_file* file) {
  return self(file)->real();
}

int close(sqlite3_file* file) {
  return real(file)->pMethods->xClose(real(file));
}
int read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  return real(file)->pMethods->xRead(real(file), to, size, at);
}
int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  if (const int code = self(file)->faults->before_write(); code != 0) return code;
  return real(file)->pMethods->xWrite(real(file), from, size, at);
}
int truncate(sqlite3_file* file, sqlite3_int64 size) {
  return real(file)->pMethods->xTruncate(real(file), size);
}
int sync(sqlite3_file* file, int flags) {
  if (const int code = self(file)->faults->before_sync(); code != 0) return code;
  return real(file)->pMethods->xSync(real(file), flags);
}
int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}
int lock(sqlite3_file* file, int level) {
  return real(file)->pMethods->xLock(real(file), level);
}
int unlock(sqlite3_file* file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}
int check_lock(sqlite3_file* file, int* out) {
  return real(file)->pMethods->xCheckReservedLock(real(file), out);
}
int control(sqlite3_file* file, int what, void* argument) {
  return real(file)->pMethods->xFileControl(real(file), what, argument);
}
int sector_size(sqlite3_file* file) {
  return real(file)->pMethods->xSectorSize(real(file));
}
int traits(sqlite3_file* file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}
int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}
int shm_lock(sqlite3_file* file, int offset, int n, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}
void shm_barrier(sqlite3_file* file) {
  real(file)->pMethods->xShmBarrier(real(file));
}
int shm_unmap(sqlite3_file* file, int remove) {
  return real(file)->pMethods->xShmUnmap(real(file), remove);
}

constexpr sqlite3_io_methods k_methods{2,           close,       read,    write,   truncate,
                                       sync,        file_size,   lock,    unlock,  check_lock,
                                       control,     sector_size, traits,  shm_map, shm_lock,
                                       shm_barrier, shm_unmap,   nullptr, nullptr};

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* faults = static_cast<FaultVfs*>(vfs->pAppData);
  sqlite3_vfs* system = sqlite3_vfs_find("unix");
  FaultFile* made = self(file);
  made->base.pMethods = nullptr;
  made->faults = faults;
  const int code = system->xOpen(system, name, made->real(), flags, out_flags);
  if (code == SQLITE_OK) made->base.pMethods = &k_methods;
  return code;
}

void wait_while(const std::atomic<bool>& stalled, std::atomic<int>& waiting) {
  if (!stalled) return;
  ++waiting;
  while (stalled) std::this_thread::sleep_for(std::chrono::milliseconds(1));  // poll
  --waiting;
}

}  // namespace

FaultVfs::FaultVfs(Reach reach)
    : name_("faults-" + std::to_string(reinterpret_cast<std::uintptr_t>(this))),
      vfs_(std::make_unique<sqlite3_vfs>()) {
  sqlite3_initialize();
  *vfs_ = *sqlite3_vfs_find("unix");
  vfs_->zName = name_.c_str();
  vfs_->szOsFile += static_cast<int>(sizeof(FaultFile));
  vfs_->pNext = nullptr;
  // The system's functions get this VFS in place of their own and look only at what was copied, but
  // for its data.
  vfs_->pAppData = this;
  vfs_->xOpen = open;
  vfs_->xDelete = [](sqlite3_vfs*, const char* path, int sync_directory) {
    sqlite3_vfs* unix_vfs = sqlite3_vfs_find("unix");
    return unix_vfs->xDelete(unix_vfs, path, sync_directory);
  };
  vfs_->xAccess = [](sqlite3_vfs*, const char* path, int flags, int* out) {
    sqlite3_vfs* unix_vfs = sqlite3_vfs_find("unix");
    return unix_vfs->xAccess(unix_vfs, path, flags, out);
  };
  vfs_->xFullPathname = [](sqlite3_vfs*, const char* path, int size, char* out) {
    sqlite3_vfs* unix_vfs = sqlite3_vfs_find("unix");
    return unix_vfs->xFullPathname(unix_vfs, path, size, out);
  };
  sqlite3_vfs_register(vfs_.get(), reach == Reach::everybody ? 1 : 0);
}

FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(vfs_.get());
}

int FaultVfs::before_write() {
  wait_while(stalled, waiting);
  return write_code;
}

int FaultVfs::before_sync() {
  wait_while(stalled, waiting);
  ++syncs;
  return sync_code;
}

}  // namespace clawws::test
